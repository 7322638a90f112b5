/** `tenants list`: which tenants there are. */
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { readLive } from '../../stores/redis/directory/read.ts'
import { readTenant } from '../../stores/redis/directory/stored.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { inRedis } from '../redis-session.ts'
import { asTable } from '../table.ts'
import { NO_POLICY, redisOf, TENANTS_SPECS } from './tenants-options.ts'

export async function listTenants(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `tenants list: ${problem}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: tenants list: ${problem}`])
  const read = readOptions(TENANTS_SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  if (read.positionals.length > 0) return wrong('it takes no names; `tenants show ID` shows one')
  const place = redisOf(read.options, io.env)
  if (typeof place === 'string') return wrong(place)
  const listed = await inRedis(place, readAll)
  if (!listed.ok) return refuse(listed.problem)
  if (!listed.value) return refuse(NO_POLICY)
  const { version, tenants } = listed.value
  if (read.options.json) return sayJson(io, { version, tenants })
  return say(io, tenants.length === 0 ? 'no tenants\n' : tableOf(tenants))
}

interface Listed {
  readonly id: string
  readonly plan: string
  readonly status: string
  readonly revision: number
}

async function readAll(connection: RedisConnection) {
  const live = await readLive(connection)
  if (!live) return undefined
  const tenants = new Map<string, Listed>()
  for await (const [id, text] of live.tenantTexts()) {
    const read = readTenant(text)
    const { plan, status = 'active' } = read.ok ? read.value.entry : { plan: '', status: 'unreadable' }
    const revision = read.ok ? read.value.revision : 0
    tenants.set(id, { id, plan: String(plan), status: String(status), revision })
  }
  const sorted = [...tenants.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { version: live.head.policy, tenants: sorted }
}

function tableOf(tenants: readonly Listed[]): string {
  const rows = tenants.map(({ id, plan, status, revision }) => [id, plan, status, String(revision)])
  return asTable([['tenant', 'plan', 'status', 'revision'], ...rows])
}
