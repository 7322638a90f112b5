/** `keys rotate`: a new key of the same id, and an end for the old one. */
import { randomBytes } from 'node:crypto'
import { DEFAULT_OVERLAP, OVERLAP_WORDS, overlapMs } from '../../admin/overlap.ts'
import { createApiKey, storedHash } from '../../core/credentials/api-key.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { type Options, readOptions } from '../options.ts'
import { administrationAt } from './administration-at.ts'
import { KEY_PLACE_SPECS, keyPlaceOf, WHERE } from './key-place.ts'
import type { KeyVerbs } from './key-verbs.ts'
import { entryLine, shownOnce, unfitOption, unlessDurable } from './keys-options.ts'
import { endOf, findKeys, type PolicyKey, readPolicyKeys } from './policy-keys.ts'

const SPECS = {
  ...KEY_PLACE_SPECS,
  tenant: { type: 'string' },
  id: { type: 'string' },
  env: { type: 'string' },
  overlap: { type: 'string' },
  'expires-at': { type: 'string' },
  again: { type: 'boolean' },
} as const

type Wanted = Options<typeof SPECS> & { readonly tenant: string; readonly id: string }

export async function rotateKey(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `keys rotate: ${problem}`)
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const { tenant, id, overlap = DEFAULT_OVERLAP } = read.options
  if (tenant === undefined) return wrong('--tenant is missing')
  if (id === undefined) return wrong('--id is missing')
  const unfit = unfitOption(read.options)
  if (unfit !== undefined) return wrong(unfit)
  const ms = overlapMs(overlap)
  if (ms === undefined) return wrong(`--overlap is ${OVERLAP_WORDS}, not '${overlap}'`)
  const place = keyPlaceOf(read.options, argv, io.env) ?? WHERE
  if (typeof place === 'string') return wrong(place)
  const wanted = { ...read.options, tenant, id, overlap }
  if (place.kind === 'policy') return inFile(place.file, wanted, { now: Date.now(), overlapMs: ms }, io)
  const administration = administrationAt(place, wanted.audit, io)
  if (typeof administration === 'string') return badInput(io, [`tenantgate: keys rotate: ${administration}`])
  return rotated(administration, wanted, io)
}

async function rotated(administration: KeyVerbs, wanted: Wanted, io: Io): Promise<number> {
  const { tenant, id, env, overlap, again, 'expires-at': expiresAt } = wanted
  const answer = await administration.rotate(tenant, id, { env, overlap, again, expiresAt })
  if (!answer.ok) return badInput(io, [`tenantgate: keys rotate: ${asOptions(answer.problem)}`])
  if (wanted.json) return sayJson(io, answer.body)
  return say(
    io,
    `${shownOnce(String(answer.body.key))}
'${id}' of ${tenant}: the old key serves until ${String(answer.body.oldUntil)}, on the same limits
${unlessDurable(answer.body)}`,
  )
}

/** Problems are told as HTTP's bodies are written. */
const asOptions = (problem: string) => problem.replace('`"again": true`', '--again')

interface Times {
  /** ms since the epoch. */
  readonly now: number
  readonly overlapMs: number
}

/** What is refused here is what a running service refuses (`admin/keys.ts`). */
function inFile(file: string, wanted: Wanted, { now, overlapMs }: Times, io: Io): number {
  const refuse = (problem: string) => badInput(io, [`tenantgate: keys rotate: ${problem}`])
  const read = readPolicyKeys(file)
  if (!read.ok) return refuse(read.problem)
  const found = findKeys(read, wanted.tenant, wanted.id)
  if (typeof found === 'string') return refuse(`${file}: ${found}`)
  const valid = found.filter((each) => now < endOf(each))
  if (valid.length > 1 && !wanted.again) {
    return refuse(`${file}: an older key '${wanted.id}' still serves; --again rotates all the same`)
  }
  const model = (valid.length > 0 ? valid : found).reduce((last, each) => (endOf(each) >= endOf(last) ? each : last))
  const expiresAt = wanted['expires-at'] ?? model.expiresAt
  if (endOf({ expiresAt }) <= now) {
    return refuse(`${file}: '${wanted.id}' has expired; say by --expires-at when the new key does`)
  }
  const oldUntil = now + overlapMs
  const key = createApiKey(wanted.env ?? 'live', randomBytes)
  const hash = storedHash(key)
  // a key that ends earlier anyway is left as it is
  const ending = valid.filter((each) => endOf(each) > oldUntil)
  const end = new Date(oldUntil).toISOString()
  const lines = ending.map(({ line }) => line)
  if (wanted.json) return sayJson(io, { id: wanted.id, key, hash, oldUntil: end, lines })
  const entry = entryLine({ ...model, hash, notBefore: undefined, expiresAt })
  return say(
    io,
    `${shownOnce(key)}
In ${file}:

${ending.map((each) => change(each, end)).join('')}  add under tenants.${wanted.tenant}.apiKeys:

${entry}`,
  )
}

function change({ line, path, expiresAt }: PolicyKey, end: string): string {
  return `  line ${line}, ${path}: ${expiresAt === undefined ? 'add' : 'change to'} expiresAt: "${end}"\n`
}
