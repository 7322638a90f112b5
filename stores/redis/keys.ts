/**
 * What the keys in Redis are called, for all that stands there; `directory/keyspace.ts` lists what stands below the directory's. (API
 * keys are no matter of this file.) The tag in braces comes first and decides the slot of a
 * cluster: no id or value behind it can move a key elsewhere.
 */
import { hash } from 'node:crypto'

/** All about the directory stands in one slot, so that each change is one atomic script. */
export const directoryKey = (prefix: string, name: string): string => `${prefix}:{directory}:${name}`

/** The channel that wakes instances after a change of the directory. */
export const changedChannel = (prefix: string): string => `${prefix}:{directory}:changed`

/** Instances, by when they were last seen. */
export const instancesKey = (prefix: string): string => `${prefix}:instances`

/** The bucket of one limit; `key` from `core/limits/bucket-key.ts`. All of a tenant share a slot. */
export const bucketName = (prefix: string, tenant: string, key: string): string => `${ofTenant(prefix, tenant)}b:${key}`

/** The index of a series that has several buckets. */
export const seriesName = (prefix: string, tenant: string, series: string): string =>
  `${ofTenant(prefix, tenant)}i:${series}`

/** What a tenant has used in one hour or day; `from` is when that begins, ms since the epoch. */
export const usageKey = (prefix: string, tenant: string, per: 'hour' | 'day', from: number): string =>
  `${ofTenant(prefix, tenant)}u:${per === 'hour' ? 'h' : 'd'}:${from}`

/** Which batches of an hour of a tenant are written, by writer. */
export const usageWritersKey = (prefix: string, tenant: string, from: number): string =>
  `${ofTenant(prefix, tenant)}u:w:${from}`

/** When keys were last used, by their hashes. */
export const lastUsedKey = (prefix: string): string => directoryKey(prefix, 'last-used')

/** One counter of hits in one window. Keys hold what clients send, at any length: what stands here is their digest. */
export const hitsName = (prefix: string, key: string, endsAt: number): string =>
  `${prefix}:h:{${hash('sha256', `${endsAt} ${key}`, 'base64url')}}`

const ofTenant = (prefix: string, tenant: string): string => `${prefix}:{${tagOf(tenant)}}:`

/**
 * What stands between the braces: never empty, since an empty tag counts as none; without braces itself; and of no two tenants the
 * same. Nobody's requests have a tag that no id becomes.
 */
function tagOf(tenant: string): string {
  if (PLAIN.test(tenant)) return tenant
  if (tenant === '') return '_'
  return `=${hash('sha256', tenant, 'base64url')}`
}

/** Begins so that neither `_` nor `=` does. */
const PLAIN = /^[A-Za-z0-9][\w.:@-]*$/
