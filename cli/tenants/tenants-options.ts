/** What the verbs of `tenants` share: which tenant, and in which Redis. */
import { holdsSecret } from '../../core/mask-secrets.ts'
import { TENANT_ID } from '../../core/names.ts'
import type { RedisPlace } from '../../core/policy.ts'
import { AUDIT_SPECS } from '../command-audit.ts'
import type { Io } from '../io.ts'
import type { Options } from '../options.ts'
import { REDIS_SPECS, readPlace } from '../redis-options.ts'

export const TENANTS_SPECS = { ...REDIS_SPECS, json: { type: 'boolean' } } as const
export const CHANGE_SPECS = { ...TENANTS_SPECS, ...AUDIT_SPECS } as const

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

export const NO_POLICY = 'there is no policy in this Redis yet; `tenantgate tenants import FILE` puts one there'
