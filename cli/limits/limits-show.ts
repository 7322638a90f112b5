/** `limits show`: how the limits of a tenant stand, each bucket on a line. */
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { asTable } from '../table.ts'
import { LIMIT_SPECS, wantedOf } from './limits-options.ts'

const SPECS = { ...LIMIT_SPECS, most: { type: 'string' } } as const

export async function showLimits(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `limits show: ${problem}`)
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const wanted = wantedOf(read.options, io.env)
  if (typeof wanted === 'string') return wrong(wanted)
  const { client, tenant, limit, scope } = wanted
  const { most, json } = read.options
  if (most !== undefined && !/^(?:1000|[1-9]\d{0,2})$/.test(most)) return wrong('--most is a number from 1 to 1000')
  const query = new URLSearchParams({ ...(limit && { limit }), ...(scope && { scope }), ...(most && { most }) })
  const answer = await client.ask('GET', `/v1/tenants/${tenant}/limits?${query}`)
  const limits = answer.ok ? answer.body.limits : []
  if (!answer.ok) return badInput(io, [`tenantgate: limits show: ${answer.problem}`])
  if (!Array.isArray(limits)) return badInput(io, ['tenantgate: limits show: the answer has no list of limits'])
  return json ? sayJson(io, answer.body) : say(io, tableOf(limits))
}

/** As the administration tells it (`admin/limits.ts`). */
interface Shown {
  readonly name: string
  readonly scope: string
  readonly kind: 'rate' | 'quota'
  readonly amount: number
  readonly period?: { readonly count: number; readonly unit: string }
  readonly tokens?: number
  readonly periodSeconds?: number
  readonly unit?: string
  readonly mode: 'enforce' | 'shadow'
  readonly buckets: readonly Bucket[]
  readonly more: boolean
}

interface Bucket {
  readonly by: Readonly<Record<string, string>>
  readonly used: number
  readonly remaining: number
  readonly refused: number
  readonly reset: string
}

const COLUMNS = ['limit', 'scope', 'allows', 'by', 'used', 'left', 'refused', 'full again']

function tableOf(limits: readonly Shown[]): string {
  if (limits.length === 0) return 'no limits\n'
  const rows = limits.flatMap((shown) => {
    const { name, scope, mode, buckets } = shown
    const begin = [mode === 'shadow' ? `${name} (shadow)` : name, scope, allowance(shown)]
    if (buckets.length === 0) return [[...begin, '(unused)', '', '', '', '']]
    return buckets.map(({ by, used, remaining, refused, reset }) => [
      ...begin,
      Object.entries(by)
        .map(([each, value]) => `${each}=${value}`)
        .join(' '),
      ...[used, remaining, refused].map(String),
      reset,
    ])
  })
  const cut = limits.filter(({ more }) => more)
  const hints = cut.map(({ name, scope, buckets }) => {
    return `'${name}' of ${scope} has more buckets: these are the ${buckets.length} most used; --most 1000 shows more\n`
  })
  return asTable([COLUMNS, ...rows]) + hints.join('')
}

/** How a policy writes spans of time. */
const LETTERS: Readonly<Record<string, string>> = {
  second: 's',
  minute: 'm',
  hour: 'h',
  day: 'd',
  week: 'w',
  month: 'mo',
  year: 'y',
}
const RATES: Readonly<Record<number, string>> = { 1: '/s', 60: '/m', 3600: '/h' }

/** As a policy writes it: `100/day`, `5/s burst 10`. */
function allowance({ kind, amount, period, tokens = 0, periodSeconds = 0, unit }: Shown): string {
  const ofWhat = unit === undefined ? '' : ` ${unit}`
  if (kind === 'rate') {
    const burst = amount === tokens ? '' : ` burst ${amount}`
    return `${tokens}${RATES[periodSeconds] ?? ` per ${periodSeconds}s`}${burst}${ofWhat}`
  }
  const { count = 1, unit: each = '' } = period ?? {}
  return `${amount}${count === 1 ? `/${each}` : ` per ${count}${LETTERS[each] ?? each}`}${ofWhat}`
}
