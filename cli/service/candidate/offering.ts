/** The live gate, which offers each of its decisions to a candidate. */
import type { Stages } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import type { Gate } from '../gate.ts'
import type { Candidate } from './candidate.ts'

/** Decides what `gate` decides, when it does; `now` gives ms since the epoch. */
export function offering(gate: Gate, candidate: Pick<Candidate, 'offer'>, now: () => number): Gate {
  function offer(request: GatewayRequest, stages: Stages | undefined, decided: Decision, by: string, at: number) {
    candidate.offer({ request, stages, decided, by, at })
    return decided
  }
  return {
    ...gate,
    get policy() {
      return gate.policy
    },
    decide(request, stages) {
      const at = now()
      const by = gate.policy.version
      const decision = gate.decide(request, stages)
      if (decision instanceof Promise) return decision.then((later) => offer(request, stages, later, by, at))
      return offer(request, stages, decision, by, at)
    },
  }
}
