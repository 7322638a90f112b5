/** What administration records, in Redis: for all instances at once, each change as a whole, and none on an outdated view. */
import type { AdminRecord, CredentialRecords, IssuedKey, Ledger } from '../../core/credentials/records.ts'
import { MOST_RECORDS } from '../records/credential-records.ts'
import { lineOf } from '../records/state-lines.ts'
import type { RedisConnection } from './connection.ts'
import { commonKey, hashOf, rangeOf } from './directory/keyspace.ts'
import { asked, fieldsOf, PAGE } from './directory/read.ts'
import { readIssued, writeIssued } from './directory/stored.ts'
import { storeFailure } from './failure.ts'
import { changedChannel } from './keys.ts'
import type { RedisRecords } from './records.ts'
import { script } from './script.ts'

export interface RedisLedgerParts {
  readonly connection: RedisConnection
  /** What was revoked and replaced, as this process knows it. */
  readonly known: Pick<RedisRecords, 'index' | 'refresh'>
  /** What decisions ask. */
  readonly records: CredentialRecords
  /** ms since the epoch. */
  readonly now: () => number
  readonly mostRecords?: number
}

const record = script(['directory/change.lua', 'directory/record.lua'], String)

/** What `record.lua` answers. */
const [DONE, CHANGED, FULL] = ['done', 'changed', 'full']

/** Somebody else may be faster so often. */
const MOST_TRIES = 5

export function createRedisLedger(parts: RedisLedgerParts): Ledger {
  const { connection, known, records, mostRecords = MOST_RECORDS } = parts
  let last: Promise<unknown> = Promise.resolve()

  /** One try; a text that is no outcome says why it failed. Rejects where the plan does. */
  async function tryAdd(plan: Parameters<Ledger['add']>[0]): Promise<string> {
    const revision = await revisionOf(connection).catch(reasonOf)
    if (typeof revision !== 'string') return revision.failed
    if (!(await known.refresh())) return 'what is recorded in Redis cannot be read now'
    const planned = await plan()
    if (planned.length === 0) return DONE
    const outcome = await commit(planned, revision, mostRecords, parts).catch(reasonOf)
    return typeof outcome === 'string' ? outcome : outcome.failed
  }

  async function add(plan: Parameters<Ledger['add']>[0]): Promise<string | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const outcome = await tryAdd(plan)
      if (outcome === CHANGED) continue
      if (outcome === FULL) return `there may be ${mostRecords} records, and no more`
      if (outcome !== DONE) return outcome
      // asked of every request here from now on; others are told
      await known.refresh()
      return undefined
    }
    return 'others change the same again and again; ask again'
  }

  return {
    durable: true,
    records,
    switches: known.index.switches,
    issuedKeys: (tenant) => readIssuedKeys(connection, tenant),
    revocations: () => known.index.revocations(),
    tenants: () => known.index.tenants(),
    add(plan) {
      // own changes do not overtake each other
      const turn = last.then(() => add(plan))
      last = turn.catch(() => {})
      return turn
    },
  }
}

function reasonOf(error: unknown): { readonly failed: string } {
  return { failed: error instanceof Error ? error.message : 'unknown failure' }
}

async function revisionOf({ client, place }: RedisConnection): Promise<string> {
  return (await asked(client.hget(commonKey(place.prefix, 'head'), 'revision'))) ?? '0'
}

function commit(
  planned: readonly AdminRecord[],
  revision: string,
  most: number,
  { connection, now }: RedisLedgerParts,
): Promise<string> {
  const { prefix } = connection.place
  const keys = planned.filter((one) => one.kind === 'key')
  const others = planned.filter((one) => one.kind !== 'key')
  return record(
    connection,
    (['head', 'changes', 'issued', 'issued-of', 'records'] as const).map((name) => commonKey(prefix, name)),
    [
      changedChannel(prefix),
      revision,
      most,
      keys.length,
      ...keys.flatMap((key) => [key.hash, key.tenant, writeIssued(key, now())]),
      ...others.map((one) => lineOf(one, now()).trimEnd()),
    ],
  )
}

async function readIssuedKeys(connection: RedisConnection, tenant: string | undefined): Promise<Iterable<IssuedKey>> {
  const lines: string[] = []
  if (tenant === undefined) {
    const issued = commonKey(connection.place.prefix, 'issued')
    for await (const [, line] of fieldsOf(connection, issued)) lines.push(line)
  } else lines.push(...(await linesOf(connection, tenant)))
  const keys = new Map<string, IssuedKey>()
  for (const line of lines.sort((a, b) => compare(timeIn(a), timeIn(b)))) {
    const read = readIssued(line)
    if (!read.ok) throw storeFailure(new Error(`an issued key ${read.problem}`))
    keys.set(read.value.hash, read.value)
  }
  return keys.values()
}

async function linesOf({ client, place }: RedisConnection, tenant: string): Promise<readonly string[]> {
  const members = await asked(client.zrangebylex(commonKey(place.prefix, 'issued-of'), ...rangeOf(tenant)))
  const lines: string[] = []
  for (let at = 0; at < members.length; at += PAGE) {
    const hashes = members.slice(at, at + PAGE).map(hashOf)
    const found = await asked(client.hmget(commonKey(place.prefix, 'issued'), ...hashes))
    lines.push(...found.filter((line) => line !== null))
  }
  return lines
}

/** When a line was written: RFC 3339 in UTC, so that texts sort as times do. */
function timeIn(line: string): string {
  return /"time":"([^"]*)"/.exec(line)?.[1] ?? ''
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))
