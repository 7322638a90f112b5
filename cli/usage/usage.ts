/** `tenantgate usage`: what a tenant has used, a line for each credential, route and outcome of each hour or day. */
import { usageQuery } from '../../admin/usage.ts'
import { TENANT_ID } from '../../core/names.ts'
import { OTHERS } from '../../core/usage.ts'
import { SERVER_SPECS, say, sayJson } from '../admin/server-options.ts'
import { badInput, EXIT, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { REDIS_SPECS } from '../redis-options.ts'
import { asTable, printable } from '../table.ts'
import { atRedis, atServer, type Line, type Query } from './usage-source.ts'

const SPECS = {
  ...SERVER_SPECS,
  ...REDIS_SPECS,
  tenant: { type: 'string' },
  nobody: { type: 'boolean' },
  per: { type: 'string' },
  from: { type: 'string' },
  until: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const USAGE = `Usage: tenantgate usage (--tenant TENANT | --nobody) (--server URL | --redis URL)
                   [--per hour|day] [--from TIME] [--until TIME] [--json]

Decisions by credential, route and outcome in each hour or day (UTC; default: day). TIME is written 2026-11-22T12:00:00Z or
2026-11-22; --from defaults to the last 24 hours or 30 days, --until, which is not included, to now. --nobody tells of requests
that belong to no tenant, such as those without a credential. ${OTHERS} are those for which there were too many lines.

--server is the address of --admin of a running service, its token in TENANTGATE_ADMIN_TOKEN or --admin-token-file; --redis the
Redis that instances write to, every few seconds.
`

export async function usage(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `usage: ${problem}`)
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const { options, positionals } = read
  if (options.help) {
    io.stdout.write(USAGE)
    return EXIT.ok
  }
  if (positionals.length > 0) return wrong(`'${printable(positionals[0] ?? '')}' is no option`)
  const tenant = tenantOf(options)
  if (!tenant.ok) return wrong(tenant.problem)
  const query = queryOf(options)
  if (typeof query === 'string') return wrong(query)
  const asked = (name: string) => argv.some((part) => part === `--${name}` || part.startsWith(`--${name}=`))
  if (asked('server') && asked('redis')) return wrong('give --server URL or --redis URL, not both')
  const found = await (options.server !== undefined && !asked('redis')
    ? atServer(options.server, options['admin-token-file'], tenant.id, query, io)
    : atRedis(options, tenant.id, query, io))
  if (found.wrong !== undefined) return wrong(found.wrong)
  if (found.lines === undefined) return badInput(io, [`tenantgate: usage: ${printable(found.problem ?? '')}`])
  const { lines } = found
  return options.json
    ? sayJson(io, { tenant: tenant.id, per: query.per, lines })
    : say(io, tableOf(lines, query.per ?? ''))
}

type WhoseUsage = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly problem: string }

function tenantOf({ tenant, nobody = false }: { readonly tenant?: string; readonly nobody?: boolean }): WhoseUsage {
  if ((tenant !== undefined) === nobody) return { ok: false, problem: 'give --tenant TENANT, or --nobody' }
  if (tenant !== undefined && !TENANT_ID.test(tenant)) {
    return { ok: false, problem: `--tenant '${printable(tenant)}' is not a tenant id` }
  }
  return { ok: true, id: tenant ?? '' }
}

/** Without an offset a time is UTC, without a time a day begins. A text says what is wrong. */
function queryOf({
  per = 'day',
  ...times
}: {
  readonly per?: string
  readonly from?: string
  readonly until?: string
}): Query | string {
  if (per !== 'hour' && per !== 'day') return `--per is hour or day, not '${printable(per)}'`
  const query: Record<string, string> = { per }
  for (const name of ['from', 'until'] as const) {
    const text = times[name]
    if (text === undefined) continue
    const written = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text
    if (!usageQuery.shape.from.safeParse(written).success) {
      return `--${name} is written 2026-11-22T12:00:00Z or 2026-11-22, not '${printable(text)}'`
    }
    query[name] = written
  }
  return query
}

const COLUMNS = ['credential', 'route', 'outcome', 'requests']

/** A line for each; what is empty is told as none. */
function tableOf(lines: readonly Line[], per: string): string {
  if (lines.length === 0) return 'no usage\n'
  const length = per === 'day' ? '2026-11-22'.length : '2026-11-22T12:00'.length
  const rows = lines.map(({ from, credential, route, outcome, count }) => [
    per === 'day' ? from.slice(0, length) : `${from.slice(0, length)}Z`,
    credential || NONE,
    route || NONE,
    outcome,
    String(count),
  ])
  return asTable([[per, ...COLUMNS], ...rows])
}

const NONE = '(none)'
