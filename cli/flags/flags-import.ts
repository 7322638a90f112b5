/** `flags import`: another flag file for the policy in a Redis, in one step, if the whole policy is good with it. */
import { readText } from '../../policy/files.ts'
import { formatProblem, type Problem } from '../../policy/problem.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { readLive } from '../../stores/redis/directory/read.ts'
import { replaceBundle } from '../../stores/redis/directory/replace.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { openCommandAudit } from '../command-audit.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { inRedis } from '../redis-session.ts'
import { CHANGE_SPECS, NO_POLICY, redisOf } from '../tenants/tenants-options.ts'
import { type FlagFile, flagFileOf, withFlags } from './stored-flags.ts'

export async function importFlags(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `flags import: ${problem}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: flags import: ${problem}`])
  const read = readOptions(CHANGE_SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const [file, ...more] = read.positionals
  if (file === undefined || more.length > 0) return wrong('which file? `tenantgate flags import FILE --redis URL`')
  const place = redisOf(read.options, io.env)
  if (typeof place === 'string') return wrong(place)
  const content = readText(file)
  if ('failure' in content) return refuse(`${file} ${content.failure}`)
  const opened = openCommandAudit(read.options.audit, io)
  if (!opened.ok) return refuse(opened.problem)

  const done = await inRedis(place, (connection) => replaced(connection, file, content.text, io.env))
  const outcome = !done.ok ? 'failed' : 'refused' in done.value || 'problems' in done.value ? 'refused' : 'done'
  const target = done.ok && 'version' in done.value ? { version: done.value.version } : {}
  opened.audit.changed({ action: 'flags_imported', outcome, target })
  await opened.audit.close()
  if (!done.ok) return refuse(done.problem)
  const { value } = done
  if ('problems' in value) return badInput(io, value.problems.map(formatProblem))
  if ('refused' in value) return refuse(value.refused)
  if (read.options.json) return sayJson(io, value)
  const what = value.outcome === 'same' ? 'is what is there already' : 'imported'
  return say(io, `${file}: ${what} (version ${value.version})\n`)
}

type Replaced =
  | { readonly outcome: 'imported' | 'same'; readonly version: string }
  | { readonly refused: string }
  | { readonly problems: readonly Problem[] }

const NOT_THERE: Readonly<Record<Extract<FlagFile, string>, string>> = {
  'no flags': 'the policy in this Redis names no flag file: write `flags: flags.json` in it, and import it anew',
  'a provider': 'the flags of the policy in this Redis are those of a provider',
  'another version': 'the policy in this Redis cannot be read; another version may have written it',
}

/** Somebody else may be faster so often. */
const MOST_TRIES = 5

async function replaced(connection: RedisConnection, named: string, text: string, env: Io['env']): Promise<Replaced> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const live = await readLive(connection)
    if (!live) return { refused: NO_POLICY }
    const bundle = await live.bundle()
    const found = flagFileOf(bundle)
    if (typeof found === 'string') return { refused: NOT_THERE[found] }
    if (bundle.files[found.file] === text) return { outcome: 'same', version: bundle.version }
    const next = withFlags(bundle, found.file, text, named, env)
    if (!('text' in next)) return { problems: next }
    if (await replaceBundle(connection, live, next)) return { outcome: 'imported', version: next.version }
  }
  return { refused: 'others change the same again and again, so that nothing was changed; ask again' }
}
