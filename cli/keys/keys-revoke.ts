/** `keys revoke`: every key of an id is refused from now on; in a policy file, once its entries have ended. */
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { administrationAt } from './administration-at.ts'
import { KEY_PLACE_SPECS, keyPlaceOf, WHERE } from './key-place.ts'
import type { KeyVerbs } from './key-verbs.ts'
import { unfitOption, unlessDurable } from './keys-options.ts'
import { findKeys, readPolicyKeys } from './policy-keys.ts'

const SPECS = { ...KEY_PLACE_SPECS, tenant: { type: 'string' }, id: { type: 'string' } } as const

interface Wanted {
  readonly tenant: string
  readonly id: string
  readonly json: boolean
}

export async function revokeKey(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `keys revoke: ${problem}`)
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const { tenant, id, json = false } = read.options
  if (tenant === undefined) return wrong('--tenant is missing')
  if (id === undefined) return wrong('--id is missing')
  const unfit = unfitOption(read.options)
  if (unfit !== undefined) return wrong(unfit)
  const place = keyPlaceOf(read.options, argv, io.env) ?? WHERE
  if (typeof place === 'string') return wrong(place)
  const wanted = { tenant, id, json }
  if (place.kind === 'policy') return inFile(place.file, wanted, io)
  const administration = administrationAt(place, read.options.audit, io)
  if (typeof administration === 'string') return badInput(io, [`tenantgate: keys revoke: ${administration}`])
  return revoked(administration, wanted, io)
}

async function revoked(administration: KeyVerbs, { tenant, id, json }: Wanted, io: Io): Promise<number> {
  const answer = await administration.revoke(tenant, id)
  if (!answer.ok) return badInput(io, [`tenantgate: keys revoke: ${answer.problem}`])
  if (json) return sayJson(io, answer.body)
  return say(io, `'${id}' of ${tenant} is revoked, and every key of that id\n${unlessDurable(answer.body)}`)
}

/** A key that the policy knows is told to have expired; one that it knows no more is taken for a guess, and blocks its address. */
const AFTERWARDS = `Services that follow the file refuse the key from then on. Take the entry out once nobody shows the key any more: until
then it is refused as expired, afterwards as a failed guess, which counts against its address.
`

function inFile(file: string, { tenant, id, json }: Wanted, io: Io): number {
  const refuse = (problem: string) => badInput(io, [`tenantgate: keys revoke: ${problem}`])
  const read = readPolicyKeys(file)
  if (!read.ok) return refuse(read.problem)
  const found = findKeys(read, tenant, id)
  if (typeof found === 'string') return refuse(`${file}: ${found}`)
  if (json) return sayJson(io, { tenant, id, lines: found.map(({ line }) => line) })
  const end = new Date().toISOString()
  const lines = found.map(({ line, path }) => `  line ${line}, ${path}: give it expiresAt: "${end}"\n`)
  return say(io, `In ${file}:\n\n${lines.join('')}\n${AFTERWARDS}`)
}
