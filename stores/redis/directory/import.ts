/** A whole policy takes the place of the live one: written beside it page by page, then switched to in one step. */
import type { RedisConnection } from '../connection.ts'
import { changedChannel } from '../keys.ts'
import { script } from '../script.ts'
import { certificateName, type NewTenant } from './facts.ts'
import { commonKey, GENERATION_PARTS, type GenerationPart, generationKeys, memberOf } from './keyspace.ts'
import { asked, type LiveDirectory, PAGE, readLive } from './read.ts'
import { type Bundle, withRevision, writeBundle, writeCertificates, writeKey, writeTenant } from './stored.ts'

/** By id, in the order of the policy; what was removed in none. */
export interface Differences {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  /** Whether anything besides the tenants differs. */
  readonly isPolicyChanged: boolean
}

export type ImportOutcome = { readonly differences: Differences } & (
  | { readonly kind: 'imported' | 'same' | 'tried' }
  /** Nothing was changed: another import has begun or data was lost, or somebody has changed policy or tenants meanwhile. */
  | { readonly kind: 'overtaken' | 'changed' }
)

export interface ImportOptions {
  /** Only says what would be different. */
  readonly dryRun: boolean
}

/** An instance that has not heard of a switch yet looks for itself much sooner. */
const KEPT_MS = 60_000

/** Removed at a time. */
const MOST_SWEPT = 10

/** Written at a time, in fields: a millisecond or so in which Redis does nothing else. */
const PAGE_FIELDS = 500

const begin = script(['directory/import-begin.lua'], (reply) => {
  const [generation, edition] = reply as [string, string]
  return { generation: Number(generation), edition: Number(edition) }
})
const put = script(['directory/import-put.lua'], String)
const switchOver = script(['directory/change.lua', 'directory/import-switch.lua'], (reply) => (reply as string[])[0])
const sweep = script(['directory/sweep.lua'], Number)

/**
 * Imports the policy. Whatever ends it, the live one stays as it is until the last step; what is left behind is removed by the
 * next import. Rejects with a `storeFailure` where Redis does not do it.
 */
export async function importPolicy(
  connection: RedisConnection,
  bundle: Bundle,
  tenants: ReadonlyMap<string, NewTenant>,
  { dryRun }: ImportOptions,
): Promise<ImportOutcome> {
  const live = await readLive(connection)
  const { unchanged, ...differences } = await compare(live, bundle, tenants)
  const isSame = live?.head.policy === bundle.version && unchanged.size === tenants.size
  if (isSame && differences.removed.length === 0) return { kind: 'same', differences }
  if (dryRun) return { kind: 'tried', differences }

  const { prefix } = connection.place
  const [head, generations] = [commonKey(prefix, 'head'), commonKey(prefix, 'generations')]
  const { generation, edition } = await begin(connection, [head, generations], [])
  if (edition !== (live?.head.edition ?? 0)) return { kind: 'changed', differences }
  await sweepGenerations(connection)
  const keys = [head, ...generationKeys(prefix, generation)]
  for (const page of pagesOf(bundle, tenants, unchanged, edition + 1)) {
    if ((await put(connection, keys, [generation, ...page])) === 'overtaken') return { kind: 'overtaken', differences }
  }
  const outcome = await switchOver(
    connection,
    [head, generations, commonKey(prefix, 'changes')],
    [changedChannel(prefix), generation, edition, bundle.version],
  )
  const kind = outcome === 'done' ? 'imported' : outcome === 'changed' ? 'changed' : 'overtaken'
  return { kind, differences }
}

/**
 * Removes what earlier imports have left, and what was replaced more than a minute ago, the oldest first; answers how many
 * generations. Of several that do it at once one removes each.
 */
export async function sweepGenerations(connection: RedisConnection, keptMs = KEPT_MS): Promise<number> {
  const { prefix } = connection.place
  const generations = commonKey(prefix, 'generations')
  const replaced = await asked(connection.client.zrangebyscore(generations, '(0', '+inf', 'LIMIT', 0, MOST_SWEPT))
  let swept = 0
  for (const number of replaced) {
    swept += await sweep(connection, [generations, ...generationKeys(prefix, Number(number))], [number, keptMs])
  }
  return swept
}

type Compared = Differences & {
  /** The revision of each tenant that is what it was. */
  readonly unchanged: ReadonlyMap<string, number>
}

async function compare(
  live: LiveDirectory | undefined,
  bundle: Bundle,
  tenants: ReadonlyMap<string, NewTenant>,
): Promise<Compared> {
  if (!live) {
    return { added: [...tenants.keys()], changed: [], removed: [], isPolicyChanged: true, unchanged: new Map() }
  }
  const unchanged = new Map<string, number>()
  const known = new Set<string>()
  const removed = new Set<string>()
  for await (const [id, text] of live.tenantTexts()) {
    const tenant = tenants.get(id)
    if (!tenant) {
      removed.add(id)
      continue
    }
    known.add(id)
    const revision = Number(/^\{"revision":(\d+),/.exec(text)?.[1] ?? Number.NaN)
    if (text === withRevision(writeTenant(tenant.facts), revision)) unchanged.set(id, revision)
  }
  for (const id of await withOtherKeys(live, unchanged.keys(), tenants)) unchanged.delete(id)
  const before = await live.bundle()
  return {
    added: [...tenants.keys()].filter((id) => !known.has(id)),
    changed: [...tenants.keys()].filter((id) => known.has(id) && !unchanged.has(id)),
    removed: [...removed],
    isPolicyChanged: saidOf(before) !== saidOf(bundle),
    unchanged,
  }
}

/** What holds for all, wherever it was imported from and however many lines its tenants took. */
function saidOf(bundle: Bundle): string {
  return writeBundle({ ...bundle, version: '', source: '', text: bundle.text.replace(/\n\s*\n/g, '\n') })
}

/** Tenants whose API keys are not those that are live. */
async function withOtherKeys(
  live: LiveDirectory,
  ids: Iterable<string>,
  tenants: ReadonlyMap<string, NewTenant>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const page of paged(ids, PAGE)) {
    const counts = await Promise.all(page.map((id) => live.keyCount(id)))
    const keys = page.flatMap((id) => tenants.get(id)?.keys ?? [])
    for (const [index, id] of page.entries()) if (tenants.get(id)?.keys.length !== counts[index]) found.add(id)
    for (const some of paged(keys, PAGE)) {
      const texts = await live.keyTexts(some.map(({ hash }) => hash))
      for (const [index, key] of some.entries()) if (texts[index] !== writeKey(key)) found.add(key.tenant)
    }
  }
  return found
}

type Field = readonly [part: GenerationPart, field: string, value: string]

/** As `import-put.lua` wants them. */
function* pagesOf(
  bundle: Bundle,
  tenants: ReadonlyMap<string, NewTenant>,
  unchanged: ReadonlyMap<string, number>,
  edition: number,
): Iterable<readonly (string | number)[]> {
  function* fields(): Iterable<Field> {
    yield ['policy', '', writeBundle(bundle)]
    for (const tenant of tenants.values()) yield* fieldsOfTenant(tenant, unchanged.get(tenant.id) ?? edition)
  }
  for (const page of paged(fields(), PAGE_FIELDS)) {
    yield page.flatMap(([part, field, value]) => [GENERATION_PARTS.indexOf(part) + 1, field, value])
  }
}

function* fieldsOfTenant(tenant: NewTenant, revision: number): Iterable<Field> {
  const { id, facts, aliases, hosts, keys, certificates } = tenant
  yield ['tenants', id, withRevision(writeTenant(facts), revision)]
  for (const alias of aliases) yield ['names', alias, id]
  for (const host of hosts) yield ['hosts', host, id]
  for (const key of keys) {
    yield ['keys', key.hash, writeKey(key)]
    yield ['keys-of', memberOf(id, key.hash), '']
  }
  if (certificates.length > 0) yield ['certificates', id, writeCertificates(certificates)]
  for (const entry of certificates) yield ['certificate-names', certificateName(entry), id]
}

function* paged<T>(entries: Iterable<T>, size: number): Iterable<readonly T[]> {
  let page: T[] = []
  for (const entry of entries) {
    page.push(entry)
    if (page.length < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
