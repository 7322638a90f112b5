/** A followed policy with a candidate beside it: the same gate to whoever asks it, and a file more that is followed. */
import type { Io } from '../../io.ts'
import type { FollowedPolicy } from '../live-policy.ts'
import type { Surroundings } from '../parts.ts'
import { createCandidate } from './candidate.ts'
import { openCandidateLimits } from './candidate-limits.ts'
import { followCandidate } from './follow-candidate.ts'
import { createJustAsked } from './just-asked.ts'
import { offering } from './offering.ts'

export interface CandidateBeside {
  /** What the live policy is served with: what it learns is there for the candidate. */
  readonly around: Surroundings
  /** With the candidate; resolves when its file was read once, good or bad. Nothing of it keeps the live policy from being served. */
  join(followed: FollowedPolicy): Promise<FollowedPolicy>
}

/** `file` is the candidate's policy. */
export function candidateBeside(file: string, env: Io['env'], alone: Surroundings): CandidateBeside {
  const { issuers, elapsed, metrics: all, log } = alone
  const asked = createJustAsked(issuers.introspect, elapsed)
  const around = { ...alone, issuers: { ...issuers, introspect: asked.ask } }

  async function join(live: FollowedPolicy): Promise<FollowedPolicy> {
    const { gate, parts } = live
    const metrics = all.addCandidate()
    const own = openCandidateLimits(gate.policy.state, around)
    const credentials = { ...parts.credentials, introspect: asked.askOnce }
    const flagProvider = parts.flagProvider && { flags: parts.flagProvider.apart() }
    const ownParts = { limits: own.limits, credentials, flagProvider }
    const candidate = createCandidate({ ...parts, ...ownParts, live: gate, metrics, log })
    const following = followCandidate({ ...parts, file, env, candidate, metrics })
    await following.first
    return {
      gate: offering(gate, candidate, parts.now),
      parts: {
        ...parts,
        candidate: () => ({ file, ...following.state(), liveVersion: gate.policy.version, ...candidate.compared() }),
        async close(timeoutMs) {
          await Promise.all([own.close(timeoutMs), parts.close(timeoutMs)])
        },
      },
      async reload() {
        await Promise.all([live.reload(), following.reload()])
      },
      close() {
        live.close()
        following.close()
      },
    }
  }

  return { around, join }
}
