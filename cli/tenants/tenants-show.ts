/** `tenants show`: a tenant as a policy writes it, its API keys among the rest, so that `tenants set` takes it back. */
import { stringify } from 'yaml'
import type { ApiKey } from '../../core/policy.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { readLive } from '../../stores/redis/directory/read.ts'
import type { StoredTenant } from '../../stores/redis/directory/stored.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { inRedis } from '../redis-session.ts'
import { idIn, NO_POLICY, redisOf, TENANTS_SPECS } from './tenants-options.ts'

export async function showTenant(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `tenants show: ${problem}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: tenants show: ${problem}`])
  const read = readOptions(TENANTS_SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const named = idIn(read.positionals)
  if (!named.ok) return wrong(named.problem)
  const place = redisOf(read.options, io.env)
  if (typeof place === 'string') return wrong(place)
  const { id } = named
  const shown = await inRedis(place, (connection) => readShown(connection, id))
  if (!shown.ok) return refuse(shown.problem)
  if (typeof shown.value === 'string') return refuse(shown.value)
  const { revision, tenant } = shown.value
  if (read.options.json) return sayJson(io, { id, revision, tenant })
  return say(
    io,
    `# ${id}, revision ${revision}\n${stringify(tenant, { lineWidth: 120, aliasDuplicateObjects: false })}`,
  )
}

/** A text says why there is nothing to show. */
async function readShown(connection: RedisConnection, id: string) {
  const live = await readLive(connection)
  const stored = await live?.tenant(id)
  if (!live) return NO_POLICY
  if (!stored) return `there is no tenant '${id}'`
  const keys: object[] = []
  for await (const [hash, key] of live.keys(id)) keys.push(written(hash, key, stored))
  return { revision: stored.revision, tenant: { ...stored.entry, ...(keys.length > 0 && { apiKeys: keys }) } }
}

/** As a policy writes it. */
function written(
  hash: string,
  { id, roles, scopes, notBefore, expiresAt }: ApiKey,
  { credentialLimits }: StoredTenant,
) {
  const limits = credentialLimits?.[id]
  return {
    id,
    hash: `sha256:${hash}`,
    ...(scopes.length > 0 && { scopes }),
    ...(roles.length > 0 && { roles }),
    ...(limits && { limits }),
    ...(notBefore !== undefined && { notBefore: new Date(notBefore).toISOString() }),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  }
}
