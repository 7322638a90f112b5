/** `keys rotate`: a new key of the same id, and an end for the old one. */
import { randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import type { AdminClient } from './admin-client.ts'
import { badInput, type Io, wrongUse } from './io.ts'
import { entryLine, PLACE_SPECS, placeOf, say, sayJson, shownOnce, unfitOption, unlessDurable } from './keys-options.ts'
import { type Options, readOptions } from './options.ts'
import { endOf, findKeys, type PolicyKey, readPolicyKeys } from './policy-keys.ts'

const SPECS = {
  ...PLACE_SPECS,
  tenant: { type: 'string' },
  id: { type: 'string' },
  env: { type: 'string' },
  overlap: { type: 'string' },
  'expires-at': { type: 'string' },
  again: { type: 'boolean' },
} as const

type Wanted = Options<typeof SPECS> & { readonly tenant: string; readonly id: string }

const DEFAULT_OVERLAP = '24h'
const SPAN = /^(\d{1,7})([smhd])$/
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export async function rotateKey(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `keys rotate: ${problem}`)
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const { tenant, id, overlap = DEFAULT_OVERLAP } = read.options
  if (tenant === undefined) return wrong('--tenant is missing')
  if (id === undefined) return wrong('--id is missing')
  const unfit = unfitOption(read.options)
  if (unfit !== undefined) return wrong(unfit)
  const span = SPAN.exec(overlap)
  if (!span) return wrong(`--overlap is a time such as 30m, 24h or 7d, not '${overlap}'`)
  const place = placeOf(read.options, argv, io.env)
  if (typeof place === 'string') return wrong(place)
  const wanted = { ...read.options, tenant, id, overlap }
  if (place.kind === 'server') return atServer(place.client, wanted, io)
  const oldUntil = Date.now() + Number(span[1]) * (UNIT_MS[span[2] ?? ''] ?? 0)
  return inFile(place.file, wanted, oldUntil, io)
}

async function atServer(client: AdminClient, wanted: Wanted, io: Io): Promise<number> {
  const { tenant, id, env, overlap, again, 'expires-at': expiresAt } = wanted
  const answer = await client.ask('POST', `/v1/tenants/${tenant}/keys/${id}/rotate`, { env, overlap, again, expiresAt })
  if (!answer.ok) return badInput(io, [`tenantgate: keys rotate: ${answer.problem}`])
  if (wanted.json) return sayJson(io, answer.body)
  return say(
    io,
    `${shownOnce(String(answer.body.key))}
'${id}' of ${tenant}: the old key serves until ${String(answer.body.oldUntil)}, on the same limits
${unlessDurable(answer.body)}`,
  )
}

function inFile(file: string, wanted: Wanted, oldUntil: number, io: Io): number {
  const refuse = (problem: string) => badInput(io, [`tenantgate: keys rotate: ${problem}`])
  const read = readPolicyKeys(file)
  if (!read.ok) return refuse(read.problem)
  const found = findKeys(read, wanted.tenant, wanted.id)
  if (typeof found === 'string') return refuse(`${file}: ${found}`)
  const model = found.reduce((last, each) => (endOf(each) >= endOf(last) ? each : last))
  const key = createApiKey(wanted.env ?? 'live', randomBytes)
  const hash = storedHash(key)
  // a key that ends earlier anyway is left as it is
  const ending = found.filter((each) => endOf(each) > oldUntil)
  const end = new Date(oldUntil).toISOString()
  const lines = ending.map(({ line }) => line)
  if (wanted.json) return sayJson(io, { id: wanted.id, key, hash, oldUntil: end, lines })
  const entry = entryLine({ ...model, hash, expiresAt: wanted['expires-at'] ?? model.expiresAt })
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
