/** `keys create`: makes an API key, and says what to put into the policy, or has a running service issue it. */
import { randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../../core/credentials/api-key.ts'
import { instantMs } from '../../policy/units.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { type Options, readOptions } from '../options.ts'
import { administrationAt } from './administration-at.ts'
import { KEY_PLACE_SPECS, keyPlaceOf } from './key-place.ts'
import type { KeyVerbs } from './key-verbs.ts'
import { entryLine, listOf, shownOnce, unfitOption, unlessDurable } from './keys-options.ts'

const { policy: _, ...ELSEWHERE } = KEY_PLACE_SPECS

const SPECS = {
  ...ELSEWHERE,
  tenant: { type: 'string' },
  scopes: { type: 'string' },
  roles: { type: 'string' },
  id: { type: 'string' },
  env: { type: 'string' },
  'not-before': { type: 'string' },
  'expires-at': { type: 'string' },
} as const

export async function createKey(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrongUse(io, `keys create: ${read.problem}`)
  const { options } = read
  const [scopes, roles] = [listOf(options.scopes), listOf(options.roles)]
  if (options.tenant === undefined) return wrongUse(io, 'keys create: --tenant is missing')
  const unfit = unfitOption({ ...options, scopes, roles })
  if (unfit !== undefined) return wrongUse(io, `keys create: ${unfit}`)
  if (endsTooSoon(options)) return wrongUse(io, 'keys create: --expires-at is over before the key begins')
  const wanted = { ...options, tenant: options.tenant, scopes, roles }
  const place = keyPlaceOf(options, argv, io.env)
  if (typeof place === 'string') return wrongUse(io, `keys create: ${place}`)
  if (place === undefined || place.kind === 'policy') return printed(wanted, io)
  const administration = administrationAt(place, options.audit, io)
  if (typeof administration === 'string') return badInput(io, [`tenantgate: keys create: ${administration}`])
  return issued(administration, wanted, io)
}

function endsTooSoon({ 'not-before': begin = '', 'expires-at': end = '' }: Options<typeof SPECS>): boolean {
  return (instantMs(end) ?? Number.POSITIVE_INFINITY) <= Math.max(Date.now(), instantMs(begin) ?? 0)
}

type Wanted = Omit<Options<typeof SPECS>, 'scopes' | 'roles'> & {
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

function printed(wanted: Wanted, io: Io): number {
  const {
    tenant,
    scopes,
    roles,
    id = `key-${randomBytes(4).toString('hex')}`,
    env = 'live',
    'not-before': notBefore,
    'expires-at': expiresAt,
  } = wanted
  const key = createApiKey(env, randomBytes)
  const hash = storedHash(key)
  if (wanted.json) return sayJson(io, { id, key, hash })
  return say(
    io,
    `${shownOnce(key)}
Add to the policy, under tenants.${tenant}.apiKeys:

${entryLine({ id, hash, scopes, roles, notBefore, expiresAt })}`,
  )
}

async function issued(administration: KeyVerbs, wanted: Wanted, io: Io): Promise<number> {
  const { tenant, scopes, roles, id, env, 'not-before': notBefore, 'expires-at': expiresAt } = wanted
  const body = { id, env, scopes, roles, notBefore, expiresAt }
  const answer = await administration.create(tenant, body)
  if (!answer.ok) return badInput(io, [`tenantgate: keys create: ${answer.problem}`])
  if (wanted.json) return sayJson(io, answer.body)
  return say(
    io,
    `${shownOnce(String(answer.body.key))}
issued as '${String(answer.body.id)}' of ${tenant}; it serves from ${notBefore ?? 'now'} on
${unlessDurable(answer.body)}`,
  )
}
