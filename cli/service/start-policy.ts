/** From where the policy is to the first one that can be served. */
import type { Io } from '../io.ts'
import { type FollowPolicy, followPolicy } from './follow-policy.ts'
import type { Surroundings } from './parts.ts'
import type { PolicySource } from './service-options.ts'

export interface StartingPolicy {
  /** Settles with the first policy that is live, or with why there will be none. */
  readonly policy: Promise<FollowPolicy>
  /** What it waits for now, in words. */
  waitsFor(): string
  /** Waits no more. */
  close(): void
}

export function startPolicy(source: PolicySource, env: Io['env'], around: Surroundings): StartingPolicy {
  if (source.kind === 'file') {
    return { policy: followPolicy(source.file, env, around), waitsFor: () => 'the policy is being read', close() {} }
  }
  const problem = '--policy redis://… is not supported yet'
  return { policy: Promise.resolve({ ok: false, problem }), waitsFor: () => problem, close() {} }
}
