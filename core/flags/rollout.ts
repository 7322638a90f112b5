/** Where a rollout stands at a time, and where it goes next. */
import type { Rollout } from '../policy.ts'

export type Step = Rollout['steps'][number]

/** The step that has come last; undefined before the first. `now` is in ms since the epoch. */
export function stepAt({ steps }: Rollout, now: number): Step | undefined {
  return steps.findLast(({ from }) => from <= now)
}

/** Those to come, in the order of time. */
export function stepsAfter({ steps }: Rollout, now: number): readonly Step[] {
  return steps.filter(({ from }) => from > now)
}
