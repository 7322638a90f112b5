/** `keys list`: which keys there are, in a policy file or at a running service, which also knows when they were last used. */

import type { AdminClient } from '../admin/admin-client.ts'
import { PLACE_SPECS, placeOf, say, sayJson } from '../admin/server-options.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { asTable } from '../table.ts'
import { unfitOption } from './keys-options.ts'
import { readPolicyKeys } from './policy-keys.ts'

const SPECS = { ...PLACE_SPECS, tenant: { type: 'string' } } as const

export async function listKeys(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrongUse(io, `keys list: ${read.problem}`)
  const unfit = unfitOption(read.options)
  const place = unfit ?? placeOf(read.options, argv, io.env)
  if (typeof place === 'string') return wrongUse(io, `keys list: ${place}`)
  const { tenant, json } = read.options
  const listed = place.kind === 'server' ? await atServer(place.client, tenant) : inFile(place.file, tenant)
  if (typeof listed === 'string') return badInput(io, [`tenantgate: keys list: ${listed}`])
  return json ? sayJson(io, { keys: listed }) : say(io, tableOf(listed))
}

type Listed = Readonly<Record<string, unknown>>

const PAGE = 1000

/** All pages, one after the other. */
async function atServer(client: AdminClient, tenant: string | undefined): Promise<readonly Listed[] | string> {
  const keys: Listed[] = []
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE), offset: String(keys.length), ...(tenant && { tenant }) })
    const answer = await client.ask('GET', `/v1/keys?${query}`)
    if (!answer.ok) return answer.problem
    const page = answer.body.keys
    if (!Array.isArray(page)) return 'the answer has no list of keys'
    keys.push(...page)
    if (page.length < PAGE) return keys
  }
}

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
