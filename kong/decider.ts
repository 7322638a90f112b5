/** What decides for all plugins of a process, whichever server runs them. */
import type { Stages } from '../core/decide.ts'
import type { Decision } from '../core/decision.ts'
import { after, type MaybePromise } from '../core/maybe-promise.ts'
import type { GatewayRequest } from '../core/request.ts'
import { type Applied, applyDecision } from './apply-decision.ts'
import type { Mark, Stage } from './handover.ts'
import type { Refusal } from './refusal.ts'
import { createRememberedAnswers, type RememberedAnswers } from './remembered-answers.ts'

export interface Decider {
  /**
   * Decides about `request` as far as `applied.parts` ask, and translates. A request that was charged is answered the same when
   * it is asked about again, by its id and stage, within some seconds. Throws, or rejects, only when we are broken.
   */
  answer(request: GatewayRequest, applied: Applied): MaybePromise<Mark | Refusal>
  /** Told what kept a plugin from an answer; the request was refused. */
  onFault(fault: unknown): void
}

export interface DeciderParts {
  readonly decide: (request: GatewayRequest, stages: Stages) => MaybePromise<Decision>
  readonly onFault: (fault: unknown) => void
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly remembered?: RememberedAnswers<Mark | Refusal>
}

/** One for a process: what it remembers is shared by all instances of all plugins, since Kong may repeat an event on a new one. */
export function createDecider({
  decide,
  onFault,
  elapsed,
  remembered = createRememberedAnswers(),
}: DeciderParts): Decider {
  return {
    onFault,
    answer(request, applied) {
      const { id, stage, parts } = applied
      // without Kong's id nothing tells a repeat from another request
      const known = id === '' ? undefined : remembered.get(id, stage, elapsed())
      if (known) return known
      return after(decide(request, stagesOf(parts)), (decision) => {
        const answer = applyDecision(decision, applied)
        if (decision.limits && id !== '') remembered.set(id, stage, answer, elapsed())
        return answer
      })
    },
  }
}

function stagesOf(parts: ReadonlySet<Stage>): Stages {
  return { permission: parts.has('auth'), limits: parts.has('quota'), flags: parts.has('flags') }
}
