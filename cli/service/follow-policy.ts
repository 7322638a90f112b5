/** From the policy file to the gate, now and whenever the file changes. */
import type { Problem } from '../../policy/problem.ts'
import { type PolicyWatch, watchPolicy } from '../../policy/watch.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Io } from '../io.ts'
import { createLivePolicy, type FollowedPolicy, type FollowPolicy } from './live-policy.ts'
import { openGate } from './open-gate.ts'
import type { Surroundings } from './parts.ts'

/** Loads the policy and follows its files. A bad one is an answer at first; later it changes nothing but log and metrics. */
export async function followPolicy(file: string, env: Io['env'], around: Surroundings): Promise<FollowPolicy> {
  let problems: readonly Problem[] = []
  const live = createLivePolicy(around, (found) => {
    problems = found
  })
  const watch = watchPolicy({ file, env, ...live })
  await watch.first
  const opened = await live.open((policy) => openGate(policy, around))
  if (opened?.ok) return { ok: true, followed: { ...opened, ...control(watch, around.log) } }
  watch.close()
  return opened ?? { ok: false, problems }
}

function control(watch: PolicyWatch, log: Log): Pick<FollowedPolicy, 'reload' | 'close'> {
  return {
    async reload() {
      if ((await watch.reload()) === 'unchanged') log.policyUnchanged()
    },
    close: () => watch.close(),
  }
}
