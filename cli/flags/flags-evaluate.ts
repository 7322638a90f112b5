/** `flags evaluate`: which variant of each flag somebody gets now, why, and from when on another. */

import { readValue } from '../../admin/body.ts'
import { type AskedFlags, askedFlags, outlookOf } from '../../admin/flag-outlook.ts'
import { instantMs } from '../../policy/units.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { HEADER_SPECS, headersIn } from '../header-lines.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { type Options, readOptions } from '../options.ts'
import { asTable } from '../table.ts'
import { LOOK_SPECS, look, lookPlaceOf } from './policy-place.ts'
import { shortInstant } from './words.ts'

const SPECS = {
  ...LOOK_SPECS,
  flag: { type: 'string', multiple: true },
  tenant: { type: 'string' },
  credential: { type: 'string' },
  user: { type: 'string' },
  role: { type: 'string', multiple: true },
  route: { type: 'string' },
  ...HEADER_SPECS,
  at: { type: 'string' },
} as const

export async function evaluateFlags(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `flags evaluate: ${problem}`)
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const { options, positionals } = read
  if (positionals.length > 0) return wrong(`a flag is named by --flag: --flag ${positionals[0]}`)
  const place = lookPlaceOf(options, argv, io.env)
  if (typeof place === 'string') return wrong(place)
  const body = bodyOf(options)
  if (typeof body === 'string') return wrong(body)
  const asked = readValue(body, askedFlags)
  if (!asked.ok) return wrong(asked.detail)
  const done = await look(place, options.state, io, {
    path: '/v1/flags/evaluate',
    body,
    work: (parts) => outlookOf(asked.value, parts),
  })
  if (!done.ok) return badInput(io, done.problems)
  return options.json ? sayJson(io, done.body) : say(io, told(done.body as unknown as Told))
}

/** As the administration reads it; a text says what is wrong. */
function bodyOf(options: Options<typeof SPECS>): Body | string {
  const { flag = [], tenant, credential, user, role = [], route, header, at } = options
  const headers = headersIn(header)
  if (typeof headers === 'string') return headers
  if (credential !== undefined && tenant === undefined) return '--credential is one of the tenant that --tenant names'
  if (at !== undefined && instantMs(at) === undefined) {
    return `--at is a time such as 2026-12-01T09:00:00Z, not '${at}'`
  }
  return { flags: flag, tenant, credential, user, roles: role, route, headers, at }
}

type Body = { readonly [name in keyof AskedFlags]?: unknown }

interface Gotten {
  readonly variant?: string
  readonly value?: unknown
  readonly reason: string
  readonly errorCode?: string
  readonly off?: string
  readonly by?: string
}

interface Told {
  readonly flags: readonly (Gotten & {
    readonly flag: string
    readonly changes: readonly (Gotten & { readonly from: string })[]
  })[]
}

const NOTHING = '-'

function told({ flags }: Told): string {
  const rows = flags.map(({ flag, variant = NOTHING, value, changes, ...why }) => [
    flag,
    variant,
    value === undefined ? NOTHING : typeof value === 'string' ? value : JSON.stringify(value),
    reasonWords(why),
    changes.map(({ from, variant: then = 'none' }) => `${then} from ${shortInstant(from)}`).join(', '),
  ])
  return asTable([['FLAG', 'VARIANT', 'VALUE', 'REASON', 'CHANGES'], ...rows])
}

const OFF: Readonly<Record<string, string>> = { switch: 'switched off', file: 'by the file' }

function reasonWords({ reason, errorCode, off, by }: Gotten): string {
  const more = errorCode ?? (off === undefined ? by : OFF[off])
  return more === undefined ? reason : `${reason} (${more})`
}
