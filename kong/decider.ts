/** What decides for all plugins of a process, whichever server runs them. */
import { hash } from 'node:crypto'
import type { Stages } from '../core/decide.ts'
import type { Decision } from '../core/decision.ts'
import { after, type MaybePromise } from '../core/maybe-promise.ts'
import type { GatewayRequest } from '../core/request.ts'
import { type Applied, applyDecision } from './apply-decision.ts'
import type { Mark } from './handover.ts'
import type { Refusal } from './refusal.ts'
import { createRememberedAnswers, type RememberedAnswers } from './remembered-answers.ts'

export interface Decider {
  /**
   * Decides about `request` as far as `applied.parts` ask, and translates. A request that was charged is answered the same when
   * it is asked about again, by its id and stage and in the same words, within some seconds: `text` is what was handed over. One
   * id alone may stand for two requests, since a backend can send Kong to another path. Throws, or rejects, only when we are broken.
   */
  answer(request: GatewayRequest, applied: Applied, text: string): MaybePromise<Mark | Refusal>
  /** Told what kept a plugin from an answer; the request was refused. */
  onFault(fault: unknown): void
}

/** An answer, and what it answers. */
export interface Remembered {
  readonly question: string
  readonly answer: Mark | Refusal
}

export interface DeciderParts {
  readonly decide: (request: GatewayRequest, stages: Stages) => MaybePromise<Decision>
  readonly onFault: (fault: unknown) => void
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly remembered?: RememberedAnswers<Remembered>
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
    answer(request, applied, text) {
      const { id, stage } = applied
      // without Kong's id nothing tells a repeat from another request
      const known = id === '' ? undefined : remembered.get(id, stage, elapsed())
      if (known !== undefined && known.question === questionOf(text, applied)) return known.answer
      return after(decide(request, stagesOf(applied)), (decision) => {
        const answer = applyDecision(decision, applied)
        if (decision.limits && id !== '') {
          remembered.set(id, stage, { question: questionOf(text, applied), answer }, elapsed())
        }
        return answer
      })
    },
  }
}

/** Of one length whatever was handed over. Instances of the same configuration ask the same. */
function questionOf(text: string, { parts, setConsumer, setUpstream }: Applied): string {
  return hash('sha256', `${[...parts].sort()} ${setConsumer} ${setUpstream} ${text}`, 'base64')
}

function stagesOf({ id, parts }: Applied): Stages {
  const stages = { permission: parts.has('auth'), limits: parts.has('quota'), flags: parts.has('flags') }
  return id === '' ? stages : { ...stages, of: id }
}
