/** Policies and tenants as they go into Redis, made up. */
import { createHash } from 'node:crypto'
import type { ApiKey, CertificateEntry } from '../../core/policy.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import type { NewTenant } from '../../stores/redis/directory/facts.ts'
import type { Bundle } from '../../stores/redis/directory/stored.ts'

export const bundleOf = (version: string): Bundle => ({
  version,
  source: 'tenantgate.yaml',
  text: `version: 1\nplans: { free: {} }\ntenants: {}\nroutes: [{ name: ${version}, match: { path: /** } }]\n`,
  files: {},
})

interface Made {
  readonly plan?: string
  readonly aliases?: readonly string[]
  readonly hosts?: readonly string[]
  /** By their ids. */
  readonly keys?: readonly string[]
  readonly subjects?: readonly string[]
}

export const hashOfKey = (tenant: string, id: string): string =>
  createHash('sha256').update(`${tenant} ${id}`).digest('hex')

export function tenant(id: string, made: Made = {}): NewTenant {
  const { plan = 'free', aliases = [], hosts = [], keys = [], subjects = [] } = made
  const keyOf = (key: string): ApiKey & { hash: string } => {
    return { tenant: id, id: key, roles: [], scopes: ['read'], hash: hashOfKey(id, key) }
  }
  const certificateOf = (pattern: string, index: number): CertificateEntry => {
    return { id: `cert-${index}`, tenant: id, roles: [], scopes: [], name: { kind: 'subject', pattern } }
  }
  return {
    id,
    facts: { entry: { plan, aliases, hosts, certificates: subjects } },
    aliases,
    hosts,
    keys: keys.map(keyOf),
    certificates: subjects.map(certificateOf),
  }
}

export const tenants = (...all: readonly NewTenant[]): ReadonlyMap<string, NewTenant> =>
  new Map(all.map((one) => [one.id, one]))

/** `count` tenants `t0`, `t1`, …, each with an alias and a key. */
export const many = (count: number, plan = 'free'): ReadonlyMap<string, NewTenant> =>
  tenants(
    ...Array.from({ length: count }, (_, at) => tenant(`t${at}`, { plan, aliases: [`alias-${at}`], keys: ['ci'] })),
  )

/** The same connection, on which something happens before the script call of that number, counted from 1. */
export function interrupted(
  connection: RedisConnection,
  before: (call: number) => Promise<unknown> | undefined,
): RedisConnection {
  let calls = 0
  const client = new Proxy(connection.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'evalsha') return value.bind(target)
      return async (...args: unknown[]) => {
        calls += 1
        await before(calls)
        return value.apply(target, args)
      }
    },
  })
  return { ...connection, client }
}

/** The keys that stand below its prefix. */
export async function keysIn({ client, place }: RedisConnection): Promise<readonly string[]> {
  const keys = await client.keys(`${place.prefix}:*`)
  return keys.map((key) => key.slice(place.prefix.length + 1)).sort()
}
