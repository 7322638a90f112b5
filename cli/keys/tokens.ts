/** `tenantgate tokens revoke`: tokens are refused from now on, by their id, their subject or their tenant. */
import { instantMs } from '../../policy/units.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, EXIT, type Io, wrongUse } from '../io.ts'
import { type Options, readOptions } from '../options.ts'
import { administrationAt } from './administration-at.ts'
import { KEY_PLACE_SPECS, keyPlaceOf } from './key-place.ts'
import { unfitOption, unlessDurable } from './keys-options.ts'

const USAGE = `Usage: tenantgate tokens revoke (--server URL | --redis URL) (--jti ID | --subject SUB | --tenant TENANT)
                                [--issuer ISS] [--before TIME] [--json]

Has a running service, or all services of a Redis, refuse tokens: the one of this id (jti), or all of this subject (sub) or tenant that were issued until
now (by the clock of the issuer that is furthest ahead), or before --before. An issuer narrows it to its own tokens. --server is the address of --admin; its token is in
TENANTGATE_ADMIN_TOKEN, or in the file of --admin-token-file.
`

const { policy: _, ...ELSEWHERE } = KEY_PLACE_SPECS

const SPECS = {
  ...ELSEWHERE,
  jti: { type: 'string' },
  subject: { type: 'string' },
  tenant: { type: 'string' },
  issuer: { type: 'string' },
  before: { type: 'string' },
} as const

export async function tokens(argv: readonly string[], io: Io): Promise<number> {
  const [verb, ...rest] = argv
  if ([verb, ...rest].some((option) => option === '--help' || option === '-h')) {
    io.stdout.write(USAGE)
    return EXIT.ok
  }
  if (verb !== 'revoke') return wrongUse(io, `tokens: expected 'revoke', got '${verb ?? ''}'\n\n${USAGE}`)
  const wrong = (problem: string) => wrongUse(io, `tokens revoke: ${problem}`)
  const read = readOptions(SPECS, rest, io.env)
  if (!read.ok) return wrong(read.problem)
  const { options } = read
  const body = revocationOf(options)
  if (typeof body === 'string') return wrong(body)
  const place = keyPlaceOf(options, rest, io.env)
  if (typeof place === 'string') return wrong(place)
  if (place === undefined || place.kind === 'policy') {
    return wrong('--server is missing: the address of --admin of a running service; or --redis, that of its Redis')
  }
  const administration = administrationAt(place, options.audit, io)
  if (typeof administration === 'string') return badInput(io, [`tenantgate: tokens revoke: ${administration}`])
  const answer = await administration.revokeTokens(body)
  if (!answer.ok) return badInput(io, [`tenantgate: tokens revoke: ${answer.problem}`])
  return options.json ? sayJson(io, answer.body) : say(io, `revoked\n${unlessDurable(answer.body)}`)
}

/** What the administration wants; a text says what is wrong. */
function revocationOf({ jti, subject, tenant, issuer, before }: Options<typeof SPECS>): object | string {
  const named = [jti, subject, tenant].filter((name) => name !== undefined)
  if (named.length !== 1) return 'give one of --jti, --subject and --tenant'
  const unfit = unfitOption({ tenant })
  if (unfit !== undefined) return unfit
  if (before !== undefined && instantMs(before) === undefined) {
    return `--before is a time such as 2026-11-22T12:00:00Z, not '${before}'`
  }
  if (jti !== undefined)
    return before === undefined ? { kind: 'token', jti, issuer } : '--before is for --subject and --tenant'
  if (subject !== undefined) return { kind: 'subject', subject, issuer, before }
  return issuer === undefined ? { kind: 'tenant', tenant, before } : '--issuer is for --jti and --subject'
}
