/** What the verbs of `tenants` share: which tenant, and in which Redis. */
import { holdsSecret } from '../../core/mask-secrets.ts'
import { TENANT_ID } from '../../core/names.ts'
import type { RedisPlace } from '../../core/policy.ts'
import type { WriteRefusal } from '../../stores/redis/directory/write.ts'
import { AUDIT_SPECS } from '../command-audit.ts'
import type { Io } from '../io.ts'
import type { Options } from '../options.ts'
import { REDIS_SPECS, readPlace } from '../redis-options.ts'

export const TENANTS_SPECS = { ...REDIS_SPECS, json: { type: 'boolean' } } as const
export const CHANGE_SPECS = { ...TENANTS_SPECS, ...AUDIT_SPECS } as const
export const REVISION_SPECS = { ...CHANGE_SPECS, 'if-revision': { type: 'string' } } as const

/** The Redis that is meant; a text says what is wrong. */
export function redisOf(given: Options<typeof REDIS_SPECS>, env: Io['env']): RedisPlace | string {
  const read = readPlace(given, env)
  if (!read.ok) return read.problem
  return read.place ?? 'in which Redis? give --redis redis://host:6379'
}

type ReadId = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly problem: string }

/** The one tenant that is named on the command line. */
export function idIn([id, ...more]: readonly string[]): ReadId {
  if (id === undefined || more.length > 0) return { ok: false, problem: 'which tenant? give one id' }
  // one that is pasted by mistake is not printed
  if (holdsSecret(id)) return { ok: false, problem: 'a credential stands in the place of the id' }
  return TENANT_ID.test(id) ? { ok: true, id } : { ok: false, problem: `'${id}' is not a tenant id` }
}

/** The revision that is wanted, if one is; a text says what is wrong. */
export function revisionIn({ 'if-revision': text }: Options<typeof REVISION_SPECS>): number | string | undefined {
  if (text === undefined) return undefined
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text)
  return `--if-revision is a number that \`tenants show\` tells, or 0, not '${text}'`
}

/** Why a tenant was not changed. */
export function refusalWords(value: WriteRefusal, id: string): string {
  if (value.kind === 'contended')
    return 'others change the same again and again, so that nothing was changed; ask again'
  if (value.revision === 0) return `there is no tenant '${id}'`
  return `'${id}' was changed meanwhile: it is at revision ${value.revision}; \`tenants show ${id}\` tells how it is now`
}

export const NO_POLICY = 'there is no policy in this Redis yet; `tenantgate tenants import FILE` puts one there'
