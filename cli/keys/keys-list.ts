/** `keys list`: which keys there are, in a policy file, at a running service or in a Redis, which also know when they were last used. */
import { say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { asTable } from '../table.ts'
import { administrationAt } from './administration-at.ts'
import { KEY_PLACE_SPECS, keyPlaceOf, WHERE } from './key-place.ts'
import type { KeyVerbs } from './key-verbs.ts'
import { unfitOption } from './keys-options.ts'
import { readPolicyKeys } from './policy-keys.ts'

const SPECS = { ...KEY_PLACE_SPECS, tenant: { type: 'string' } } as const

export async function listKeys(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrongUse(io, `keys list: ${read.problem}`)
  const unfit = unfitOption(read.options)
  const place = unfit ?? keyPlaceOf(read.options, argv, io.env) ?? WHERE
  if (typeof place === 'string') return wrongUse(io, `keys list: ${place}`)
  const { tenant, json } = read.options
  const listed =
    place.kind === 'policy' ? inFile(place.file, tenant) : await allAt(administrationAt(place, 'off', io), tenant)
  if (typeof listed === 'string') return badInput(io, [`tenantgate: keys list: ${listed}`])
  return json ? sayJson(io, { keys: listed }) : say(io, tableOf(listed))
}

type Listed = Readonly<Record<string, unknown>>

const PAGE = 1000

/** All pages, one after the other. */
async function allAt(
  administration: KeyVerbs | string,
  tenant: string | undefined,
): Promise<readonly Listed[] | string> {
  if (typeof administration === 'string') return administration
  const keys: Listed[] = []
  for (;;) {
    const answer = await administration.list({ tenant, limit: PAGE, offset: keys.length })
    if (!answer.ok) return answer.problem
    const page = answer.body.keys
    if (!Array.isArray(page)) return 'the answer has no list of keys'
    keys.push(...page)
    if (page.length < PAGE) return keys.sort(inOrder)
  }
}

/** As `tenants list` has it; stores tell keys in no order that says anything. */
function inOrder(one: Listed, other: Listed): number {
  return compare(String(one.tenant), String(other.tenant)) || compare(String(one.id), String(other.id))
}

const compare = (a: string, b: string) => Number(a > b) - Number(a < b)

function inFile(file: string, tenant: string | undefined): readonly Listed[] | string {
  const read = readPolicyKeys(file)
  if (!read.ok) return read.problem
  if (tenant !== undefined && !read.tenants.includes(tenant)) return `${file}: the policy has no tenant '${tenant}'`
  return read.keys
    .filter((key) => tenant === undefined || key.tenant === tenant)
    .map(({ path: _, expiresAt, ...key }) => ({ ...key, endsAt: expiresAt }))
}

const COLUMNS = ['tenant', 'id', 'line', 'from', 'state', 'scopes', 'roles', 'notBefore', 'endsAt', 'lastUsed']

/** A column for each fact that any key has. */
function tableOf(keys: readonly Listed[]): string {
  if (keys.length === 0) return 'no keys\n'
  const columns = COLUMNS.filter((name) => keys.some((key) => cell(key[name]) !== ''))
  const rows = [columns, ...keys.map((key) => columns.map((name) => cell(key[name])))]
  return asTable(rows)
}

function cell(value: unknown): string {
  return value === undefined ? '' : Array.isArray(value) ? value.join(',') : String(value)
}
