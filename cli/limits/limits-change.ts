/** `limits reset` and `limits credit`: a bucket is full again, or is given back or taken some units. */
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { printable } from '../table.ts'
import { byOf, LIMIT_SPECS, type Wanted, wantedOf } from './limits-options.ts'

const BY = { by: { type: 'string', multiple: true } } as const
const RESET_SPECS = { ...LIMIT_SPECS, ...BY, all: { type: 'boolean' } } as const
const CREDIT_SPECS = { ...LIMIT_SPECS, ...BY, units: { type: 'string' } } as const

export async function resetLimit(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(RESET_SPECS, argv, io.env)
  if (!read.ok) return wrongUse(io, `limits reset: ${read.problem}`)
  const { by: entries, all = false, json = false } = read.options
  const wanted = wantedOf(read.options, io.env)
  if (typeof wanted === 'string') return wrongUse(io, `limits reset: ${wanted}`)
  if (all && entries !== undefined) return wrongUse(io, 'limits reset: give --by or --all, not both')
  return change('reset', wanted, entries, { all }, json, io)
}

export async function creditLimit(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(CREDIT_SPECS, argv, io.env)
  if (!read.ok) return wrongUse(io, `limits credit: ${read.problem}`)
  const { by: entries, units, json = false } = read.options
  const wanted = wantedOf(read.options, io.env)
  if (typeof wanted === 'string') return wrongUse(io, `limits credit: ${wanted}`)
  if (units === undefined) return wrongUse(io, 'limits credit: --units is missing')
  if (!/^-?0*[1-9]\d{0,11}$/.test(units)) {
    return wrongUse(io, `limits credit: --units is a whole number, --units=-N to take some, not '${units}'`)
  }
  return change('credit', wanted, entries, { units: Number(units) }, json, io)
}

async function change(
  action: 'reset' | 'credit',
  { client, tenant, limit, scope }: Wanted,
  entries: readonly string[] | undefined,
  more: { readonly all?: boolean; readonly units?: number },
  json: boolean,
  io: Io,
): Promise<number> {
  const by = byOf(entries)
  if (limit === undefined) return wrongUse(io, `limits ${action}: --limit is missing`)
  if (typeof by === 'string') return wrongUse(io, `limits ${action}: ${by}`)
  const answer = await client.ask('POST', `/v1/tenants/${tenant}/limits/${limit}`, { action, scope, by, ...more })
  if (!answer.ok) return badInput(io, [`tenantgate: limits ${action}: ${answer.problem}`])
  return json ? sayJson(io, answer.body) : say(io, `${printable(told(answer.body, tenant, limit))}\n`)
}

function told(body: Readonly<Record<string, unknown>>, tenant: string, limit: string): string {
  const { scope, by, buckets, before, after, usedBefore, usedAfter } = body
  const values = Object.entries(Object(by)).map(([name, value]) => `${name}=${value}`)
  const whose = [`'${limit}' of ${tenant}`, ...(scope === 'tenant' ? [] : [String(scope)]), ...values].join(', ')
  if (buckets !== undefined) return `${whose}: ${buckets} ${buckets === 1 ? 'bucket is' : 'buckets are'} full again`
  const used = `used before ${usedBefore}, now ${usedAfter}`
  return `${whose}: ${deed(body)}; ${used}; left before ${before}, now ${after}`
}

/** What was done, which may be less than what was asked for: nobody has more than full, nor owes more than the bounds. */
function deed({ units, usedBefore, usedAfter }: Readonly<Record<string, unknown>>): string {
  if (units === undefined) return 'full again'
  const asked = Math.abs(Number(units))
  const changed = Math.abs(Number(usedBefore) - Number(usedAfter))
  return `${Number(units) > 0 ? 'given back' : 'taken'} ${changed === asked ? asked : `${changed} of ${asked}`}`
}
