/** Where usage is asked for: at a running service, or in the Redis that instances write to; page by page. */
import type { Answer } from '../../admin/answer.ts'
import { readValue } from '../../admin/body.ts'
import { listUsage, usageQuery } from '../../admin/usage.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { readUsage } from '../../stores/redis/usage/keeper.ts'
import { openAdminClient } from '../admin/admin-client.ts'
import type { Io } from '../io.ts'
import { readPlace } from '../redis-options.ts'
import { inRedis } from '../redis-session.ts'

type Ask = (query: Readonly<Record<string, string>>) => Promise<Page | string>

interface Page {
  readonly lines: readonly Line[]
  readonly next?: string
}

/** As the administration tells it. */
export interface Line {
  readonly from: string
  readonly credential: string
  readonly route: string
  readonly outcome: string
  readonly count: number
}

export interface Found {
  readonly lines?: readonly Line[]
  readonly problem?: string
  /** Wrong use. */
  readonly wrong?: string
}

/** As the administration takes it. */
export type Query = Readonly<Record<string, string>>

export async function atServer(
  server: string,
  tokenFile: string | undefined,
  tenant: string,
  query: Query,
  io: Io,
): Promise<Found> {
  const opened = openAdminClient(server, tokenFile, io.env)
  if (!opened.ok) return { wrong: opened.problem }
  const path = tenant === '' ? '/v1/usage' : `/v1/tenants/${tenant}/usage`
  return allPages(query, async (page) => {
    const answer = await opened.client.ask('GET', `${path}?${new URLSearchParams(page)}`)
    return answer.ok ? pageIn(answer.body) : answer.problem
  })
}

export async function atRedis(
  options: Parameters<typeof readPlace>[0],
  tenant: string,
  query: Query,
  { env }: Io,
): Promise<Found> {
  const read = readPlace(options, env)
  if (!read.ok) return { wrong: read.problem }
  if (!read.place) return { wrong: 'whose usage? give --server URL or --redis URL' }
  const done = await inRedis(read.place, (connection) => allPages(query, (page) => ask(connection, tenant, page)))
  return done.ok ? done.value : { problem: done.problem }
}

async function ask(connection: RedisConnection, tenant: string, query: Query): Promise<Page | string> {
  const wanted = readValue(query, usageQuery)
  if (!wanted.ok) return wanted.detail
  const usage = { read: readUsage(connection) }
  const answer: Answer = await listUsage(tenant, wanted.value, { usage, now: Date.now }).catch((away) =>
    // what the store said is for whoever runs it
    Promise.reject(away instanceof Error && away.cause instanceof Error ? away.cause : away),
  )
  return answer.ok ? pageIn(answer.body) : answer.detail
}

function pageIn({ lines, next }: Readonly<Record<string, unknown>>): Page | string {
  if (!Array.isArray(lines)) return 'the answer has no list of lines'
  return { lines, ...(typeof next === 'string' && { next }) }
}

/** All pages, one after the other: the end stays what it was when the first was asked. */
async function allPages(query: Query, ask: Ask): Promise<Found> {
  const until = query.until ?? new Date().toISOString()
  const lines: Line[] = []
  let from: string | undefined = query.from
  for (;;) {
    const page = await ask({ ...query, until, ...(from !== undefined && { from }) })
    if (typeof page === 'string') return { problem: page }
    lines.push(...page.lines)
    if (page.next === undefined) return { lines }
    from = page.next
  }
}
