/** `flags off` and `flags on`: at a running service, in a Redis that services share, or in the state file of one. */
import { type SwitchParts, switchFlag } from '../../admin/flags.ts'
import { isFlagName } from '../../admin/words.ts'
import { holdsSecret } from '../../core/mask-secrets.ts'
import type { AdminAnswer } from '../admin/admin-client.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { AUDIT_SPECS, openCommandAudit } from '../command-audit.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { unlessDurable } from '../keys/keys-options.ts'
import { readOptions } from '../options.ts'
import { openRecorded } from '../recorded-in.ts'
import { inRedis, redisWords } from '../redis-session.ts'
import { printable } from '../table.ts'
import { SWITCH_PLACE_SPECS, type SwitchPlace, switchPlaceOf } from './flags-place.ts'
import { switchesInRedis } from './switches-in-redis.ts'

type To = 'off' | 'on'

const SPECS = { ...SWITCH_PLACE_SPECS, ...AUDIT_SPECS } as const

export const switchOff = (argv: readonly string[], io: Io) => switchTo('off', argv, io)
export const switchOn = (argv: readonly string[], io: Io) => switchTo('on', argv, io)

async function switchTo(to: To, argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `flags ${to}: ${problem}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: flags ${to}: ${printable(problem)}`])
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const [flag, ...more] = read.positionals
  if (flag === undefined || more.length > 0) return wrong(`which flag? \`tenantgate flags ${to} FLAG\``)
  if (holdsSecret(flag)) return wrong('a credential stands in the place of the flag')
  if (!isFlagName(flag)) return wrong(`'${printable(flag)}' is not the name of a flag`)
  const place = switchPlaceOf(read.options, argv, io.env)
  if (typeof place === 'string') return wrong(place)
  const answer = await switched(flag, to, place, read.options.audit, io)
  if (!answer.ok) return refuse(answer.problem)
  return read.options.json ? sayJson(io, answer.body) : say(io, told(answer.body))
}

/** A service audits by itself; elsewhere the command does. */
async function switched(
  flag: string,
  to: To,
  place: SwitchPlace,
  auditTo: string | undefined,
  io: Io,
): Promise<AdminAnswer> {
  if (place.kind === 'server') return place.client.ask('POST', `/v1/flags/${encodeURIComponent(flag)}/${to}`)
  const opened = openCommandAudit(auditTo, io)
  if (!opened.ok) return opened
  const answer = await (place.kind === 'redis' ? inRedisAt(flag, to, place) : inFile(flag, to, place.file))
  opened.audit.changed({ action: `flag_switched_${to}`, outcome: answer.ok ? 'done' : 'failed', target: { flag } })
  await opened.audit.close()
  return answer
}

async function inRedisAt(
  flag: string,
  to: To,
  { place }: Extract<SwitchPlace, { kind: 'redis' }>,
): Promise<AdminAnswer> {
  const done = await inRedis(place, async (connection) => {
    const parts = await switchesInRedis(connection)
    return typeof parts === 'string' ? parts : by(parts, flag, to)
  })
  if (!done.ok) return done
  if (typeof done.value === 'string') return { ok: false, problem: redisWords(place, done.value) }
  return done.value.ok ? done.value : { ok: false, problem: redisWords(place, done.value.problem) }
}

async function inFile(flag: string, to: To, file: string): Promise<AdminAnswer> {
  const ledger = await openRecorded(file)
  if (typeof ledger === 'string') return { ok: false, problem: `--state: ${ledger}` }
  return by({ ledger, knows: () => undefined, now: Date.now }, flag, to)
}

async function by(parts: SwitchParts, flag: string, to: To): Promise<AdminAnswer> {
  const answer = await switchFlag(flag, to, parts)
  return answer.ok ? answer : { ok: false, problem: answer.detail }
}

function told(body: Readonly<Record<string, unknown>>): string {
  const { flag, state, changed, since, known } = body
  const already = changed ? '' : ' already'
  const when = since === undefined ? '' : `, since ${since}`
  const unknown = known === false ? 'no policy here has a flag of this name: it holds as soon as one has\n' : ''
  return `${printable(String(flag))}: switched ${state}${already}${when}\n${unknown}${unlessDurable(body)}`
}
