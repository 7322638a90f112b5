/** `flags list`: how each flag stands, and where its rollout goes next. */
import { flagsQuery, listFlags as listed } from '../../admin/flags.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { asTable } from '../table.ts'
import { LOOK_SPECS, look, lookPlaceOf } from './policy-place.ts'
import { shortInstant } from './words.ts'

/** As many as a policy and its switches may have are told in a few pages; people read the first. */
const MOST = '1000'

export async function listFlags(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `flags list: ${problem}`)
  const read = readOptions(LOOK_SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const place = lookPlaceOf(read.options, argv, io.env)
  if (typeof place === 'string') return wrong(place)
  const done = await look(place, read.options.state, io, {
    path: `/v1/flags?limit=${MOST}`,
    work: (parts) => listed(flagsQuery.parse({ limit: MOST }), parts),
  })
  if (!done.ok) return badInput(io, done.problems)
  return read.options.json ? sayJson(io, done.body) : say(io, told(done.body as unknown as Told))
}

interface Told {
  readonly flags: readonly {
    readonly name: string
    readonly known: boolean
    readonly state: string
    readonly by?: string
    readonly since?: string
    readonly keyedBy: string
    readonly rollout?: Rollout
  }[]
  readonly total: number
  readonly provider: boolean
}

interface Rollout {
  readonly variant: string
  readonly percent: number
  readonly next?: { readonly from: string; readonly percent: number }
}

function told({ flags, total, provider }: Told): string {
  const rows = flags.map(({ name, known, state, by, since, keyedBy, rollout }) => [
    name,
    `${state}${by === undefined ? '' : ` (${by})`}${known || provider ? '' : ', in no policy'}`,
    since === undefined ? '' : shortInstant(since),
    keyedBy,
    rollout ? rolloutWords(rollout) : '',
  ])
  const more = total > flags.length ? `these are the first ${flags.length} of ${total}\n` : ''
  const provided = provider
    ? 'the flags are those of a provider: here are those that the policy names, and what was switched\n'
    : ''
  return `${asTable([['FLAG', 'STATE', 'SINCE', 'STICKY FOR', 'ROLLOUT'], ...rows])}${more}${provided}`
}

function rolloutWords({ variant, percent, next }: Rollout): string {
  const then = next ? `, ${next.percent} % from ${shortInstant(next.from)}` : ''
  return `${variant} ${percent} %${then}`
}
