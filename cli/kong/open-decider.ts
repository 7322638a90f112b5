/** A gate for plugins, with its policy followed and its log written, from the environment alone. */
import { createDecider, type Decider } from '../../kong/decider.ts'
import { formatProblem } from '../../policy/problem.ts'
import { LOG_LEVELS, type LogLevel } from '../../telemetry/log.ts'
import type { Io } from '../io.ts'
import { environmentTwin, readOptions } from '../options.ts'
import { openSurroundings } from '../service/parts.ts'
import { readSource, SERVICE_SPECS } from '../service/service-options.ts'
import { startPolicy } from '../service/start-policy.ts'
import { within } from '../service/within.ts'

/** So long a policy is waited for: whoever asks for a decision is refused then, and the next one waits anew. */
const PATIENCE_MS = 10_000

/** Rejects, after lines on stderr that say why, when there is no policy that can be used. */
export async function openDecider({ env, stderr }: Pick<Io, 'env' | 'stderr'>): Promise<Decider> {
  const read = readOptions(SERVICE_SPECS, [], env)
  if (!read.ok) return refuse(stderr, [read.problem])
  const { policy: named, 'log-level': logLevel, state, audit, 'flag-provider': flagProvider } = read.options
  if (named === undefined) return refuse(stderr, [`${environmentTwin('policy')} names no policy file`])
  const source = readSource(read.options, env)
  if (!source.ok) return refuse(stderr, [source.problem])
  // what is counted is counted for nobody: the stock server has no place to read it at
  const opened = await openSurroundings({ logLevel: levelOf(logLevel), state, audit, flagProvider }, false)
  if (!opened.ok) return refuse(stderr, [opened.problem])
  const { log, metrics, elapsed } = opened.around
  const starting = startPolicy(source.policy, env, opened.around)
  const policy = await within(starting.policy, PATIENCE_MS)
  if (policy === undefined) {
    const why = starting.waitsFor()
    await starting.close()
    return refuse(stderr, [why])
  }
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
