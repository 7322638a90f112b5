/**
 * The keys of buckets, made nowhere else: kind and tenant first, every part with its length, so that no two can be the same by
 * accident.
 */
import { hash } from 'node:crypto'
import type { CountedBy, Limit } from './limit.ts'

/** What a request can be counted by. */
export interface Counted {
  /** Empty for a request of nobody. */
  readonly tenant: string
  readonly credential: string
  readonly user: string
  readonly ip: string
  readonly route: string
  header(name: string): string
  claim(name: string): string
}

/** What no length begins with. */
const RATE = 'r'

/** Longer values, which clients choose, are hashed so that a key stays small. */
const MAX_PART = 64

/** Whose limit it is: the tenant's (of its plan or its own), a route's, or a credential's. Names of limits are unique within each. */
export type Scope = 'tenant' | `route:${string}` | `credential:${string}`

/**
 * All buckets of one limit of one tenant; `scope` tells limits of the same name apart. A rate and a quota never share one: while one
 * becomes the other, policy by policy, each counts for itself, and neither begins anew with each request.
 */
export function bucketSeries(limit: Limit, scope: Scope, tenant: string): string {
  return (limit.kind === 'rate' ? RATE : '') + part(tenant) + part(scope === 'tenant' ? '' : scope) + part(limit.name)
}

/** The bucket within its series that these requests share. */
export function bucketKey(limit: Limit, series: string, counted: Counted): string {
  let key = series
  for (const by of limit.by) if (by !== 'tenant') key += part(countedValue(by, counted))
  return key
}

function countedValue(by: CountedBy, counted: Counted): string {
  switch (by) {
    case 'tenant':
    case 'credential':
    case 'user':
    case 'route':
      return counted[by]
    case 'ip':
      return addressBlock(counted.ip)
    default:
      return by.startsWith('header:') ? counted.header(by.slice(7)) : counted.claim(by.slice(6))
  }
}

/** The bucket whose parts are these, in the order of the limit's `by` without the tenant: values, or hashes as `valuesInKey` tells them. */
export function bucketKeyOf(series: string, values: readonly string[]): string {
  return series + values.map((value) => (isHash(value) ? spelled(value) : part(value))).join('')
}

/** The values by which a bucket of the series counts; long ones as `sha256:` and their hash. Undefined where the key is of another series. */
export function valuesInKey(series: string, key: string): readonly string[] | undefined {
  if (!key.startsWith(series)) return undefined
  const values: string[] = []
  for (let at = series.length; at < key.length; ) {
    const colon = key.indexOf(':', at)
    const length = Number(key.slice(at, colon))
    if (colon === -1 || !Number.isSafeInteger(length)) return undefined
    at = colon + 1 + length
    values.push(key.slice(colon + 1, at))
  }
  return values
}

function part(value: string): string {
  return spelled(value.length <= MAX_PART && !isHash(value) ? value : HASHED + hash('sha256', value, 'base64url'))
}

function spelled(value: string): string {
  return `${value.length}:${value}`
}

const HASHED = 'sha256:'
const HASH_LENGTH = HASHED.length + 43

/** Whether it looks like what stands for a long value. Such a value is hashed too, so that no client can pass for another. */
function isHash(value: string): boolean {
  return value.length === HASH_LENGTH && value.startsWith(HASHED)
}

/**
 * `::ffff:192.0.2.1`, or the same with the last part in hex: an IPv4 client on a socket for both (RFC 4291 §2.5.5.2).
 */
const MAPPED = /^(?:0+:){5}ffff:([\d.]+|[0-9a-f]+:[0-9a-f]+)$/

/** An IPv4 address as it is; an IPv6 address as its /64, which one customer of a provider has to himself. */
export function addressBlock(address: string): string {
  if (!address.includes(':')) return address
  const groups = groupsOf(address.toLowerCase())
  const mapped = MAPPED.exec(groups.join(':'))?.[1]
  if (mapped !== undefined) return dotted(mapped)
  const block = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${block.join(':')}::/64`
}

/** All groups, with `::` written out; a dotted end stays one group for two. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::')
  const [before, after] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')))
  if (tail === undefined || !before || !after) return before ?? []
  const width = before.length + after.length + (tail.includes('.') ? 1 : 0)
  return [...before, ...Array<string>(Math.max(0, 8 - width)).fill('0'), ...after]
}

function dotted(mapped: string): string {
  if (mapped.includes('.')) return mapped
  const bytes = mapped.split(':').flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
  return bytes.join('.')
}
