/** The stage of flags: where the request goes, and which flags its backend is told of. */
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { Policy } from '../policy.ts'
import { type Choice, chooseUpstream } from './choose-upstream.ts'
import type { Subject } from './context.ts'
import type { Flags } from './evaluate.ts'
import type { Ignored, Override } from './override.ts'
import { askedBy, type Resolved } from './resolve.ts'
import { type Told, tellBackend } from './tell-backend.ts'

export interface FlagFindings {
  readonly choice: Choice
  readonly told: readonly Told[]
  /** What has become of the header by which callers choose; absent where none was sent, or the policy has none. */
  readonly override?: Override | Ignored | undefined
}

/** Where flags are not asked. */
export const NOT_ASKED: FlagFindings = { choice: {}, told: [] }

/** `now` is in ms since the epoch. */
export function askFlags(subject: Subject, policy: Policy, flags: Flags, now: number): MaybePromise<FlagFindings> {
  const asked = askedBy(subject, policy, flags, now)
  const choosing = chooseUpstream(subject.route, policy, asked)
  const telling = tellBackend(policy.identity, asked)
  const { override } = asked
  return after(choosing, (choice) => after(telling, (told) => ({ choice, told, override })))
}

/** All that was evaluated, the route's own flag first; undefined where none was. */
export function evaluatedIn({ choice: { by }, told }: FlagFindings): readonly Resolved[] | undefined {
  if (told.length === 0) return by && [by]
  const others = told.map((one) => one.by)
  return by ? [by, ...others] : others
}
