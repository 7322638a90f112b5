/** A gate for plugins, with its policy followed and its log written, from the environment alone. */
import { createDecider, type Decider } from '../../kong/decider.ts'
import { formatProblem } from '../../policy/problem.ts'
import { LOG_LEVELS, type LogLevel } from '../../telemetry/log.ts'
import type { Io } from '../io.ts'
import { environmentTwin } from '../options.ts'
import { followPolicy } from '../service/follow-policy.ts'
import { openSurroundings } from '../service/parts.ts'

/** Rejects, after lines on stderr that say why, when there is no policy that can be used. */
export async function openDecider({ env, stderr }: Pick<Io, 'env' | 'stderr'>): Promise<Decider> {
  // what is counted is counted for nobody: the stock server has no place to read it at
  const [logLevel, state, audit] = ['log-level', 'state', 'audit'].map(
    (name) => env[environmentTwin(name)] || undefined,
  )
  const opened = await openSurroundings({ logLevel: levelOf(logLevel), state, audit }, false)
  if (!opened.ok) return refuse(stderr, [opened.problem])
  const { log, metrics, elapsed } = opened.around
  const file = env[environmentTwin('policy')]
  if (file === undefined || file === '') return refuse(stderr, [`${environmentTwin('policy')} names no policy file`])
  const policy = await followPolicy(file, env, opened.around)
  if (!policy.ok) return refuse(stderr, 'problems' in policy ? policy.problems.map(formatProblem) : [policy.problem])
  const onFault = (fault: unknown) => {
    metrics.fault()
    log.fault('a plugin failed', fault)
  }
  return createDecider({ decide: policy.followed.gate.decide, onFault, elapsed })
}

function refuse(stderr: Io['stderr'], lines: readonly string[]): never {
  for (const line of lines) stderr.write(`tenantgate: ${line}\n`)
  throw new Error('no policy to decide by')
}

function levelOf(text: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === text) ?? 'info'
}
