/** What a scrape tells of a store that instances share. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { createLog } from '../../telemetry/log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { STORE_OPERATIONS, STORE_OUTCOMES, type StoreCounts } from '../../telemetry/store-metrics.ts'

const cache = { hits: 7, misses: 2, refreshes: 1, staleUses: 4, turnedAway: 0, failures: 3, known: 5, unknown: 6 }
const live = { isUp: true, allow: 1, ageMs: Number.POSITIVE_INFINITY }
const counts: StoreCounts = {
  isUp: () => live.isUp,
  instances: () => 2,
  spared: () => 9,
  fallbacks: () => ({ local: 3, allow: live.allow, deny: 2 }),
  forgiven: () => 6,
  leases: () => ({ leased: 90, refused: 4, asked: 6, drawsAhead: 5, granted: 100, returned: 8, lost: 2, buckets: 3 }),
  revocations: () => ({ ageMs: live.ageMs, size: 12, losses: 1 }),
  caches: () => ({ keys: cache }),
}

function scraped() {
  const metrics = createMetrics(() => 0)
  const called = metrics.addStore(counts)
  return { called, text: async () => (await metrics.scrape()).text }
}

it('every call that there can be has a series from the start, and is counted with its time', async () => {
  const { called, text } = scraped()
  const before = await text()
  for (const operation of STORE_OPERATIONS) {
    for (const outcome of STORE_OUTCOMES) {
      expect(before).toContain(`tenantgate_store_calls_total{operation="${operation}",outcome="${outcome}"} 0\n`)
    }
    expect(before).toContain(`tenantgate_store_call_duration_seconds_count{operation="${operation}"} 0\n`)
  }
  called('take', 'late', 10)
  const after = await text()
  expect(after).toContain('tenantgate_store_calls_total{operation="take",outcome="late"} 1\n')
  expect(after).toContain('tenantgate_store_call_duration_seconds_sum{operation="take"} 0.01\n')
})

it('tells the numbers as they are when it is asked', async () => {
  const { text } = scraped()
  const before = await text()
  for (const line of [
    'tenantgate_store_up 1',
    'tenantgate_store_instances 2',
    'tenantgate_store_spared_calls_total 9',
    'tenantgate_store_fallbacks_total{rule="local"} 3',
    'tenantgate_store_fallbacks_total{rule="allow"} 1',
    'tenantgate_store_forgiven_buckets_total 6',
    'tenantgate_lease_takes_total{answered="leased"} 90',
    'tenantgate_lease_units_total{fate="lost"} 2',
    'tenantgate_lease_draws_ahead_total 5',
    'tenantgate_lease_buckets 3',
    'tenantgate_revocations_age_seconds +Inf',
    'tenantgate_revocations 12',
    'tenantgate_revocations_losses_total 1',
    'tenantgate_directory_lookups_total{kind="keys",result="stale"} 4',
    'tenantgate_directory_entries{kind="keys",exists="no"} 6',
  ]) {
    expect(before).toContain(`${line}\n`)
  }
  Object.assign(live, { isUp: false, allow: 8, ageMs: 1500 })
  const after = await text()
  expect(after).toContain('tenantgate_store_up 0\n')
  expect(after).toContain('tenantgate_store_fallbacks_total{rule="allow"} 8\n')
  expect(after).toContain('tenantgate_revocations_age_seconds 1.5\n')
})

it('the log says once that the store is away and why, and how long it was when it is back', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => lines.push(line) })
  log.storeAway('Redis: connect ECONNREFUSED')
  log.storeBack(1234.5, { local: 3, allow: 1, deny: 0 })
  log.limitsForgotten(2)
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'error', why: 'Redis: connect ECONNREFUSED' }),
    expect.objectContaining({ level: 'info', awayMs: 1235, local: 3, allow: 1, deny: 0 }),
    expect.objectContaining({ level: 'error', buckets: 2 }),
  ])
})

it('the log tells a loss of records, revocations or switches of flags, in the words that the guide has people wait for', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => lines.push(line) })
  log.recordsLost(3, 1)
  log.recordsWrittenBack(0, 'Redis: READONLY')
  log.recordsWrittenBack(2)
  const [lost, stuck, back] = lines.map((line) => JSON.parse(line))
  expect(lost).toMatchObject({ level: 'error', before: 3, after: 1, msg: expect.stringContaining('has lost records') })
  expect(stuck).toMatchObject({ level: 'error', problem: 'Redis: READONLY' })
  expect(back).toMatchObject({ level: 'warn', written: 2 })
  const guide = readFileSync(join(packageRoot, 'docs', 'redis.md'), 'utf8')
  expect(guide).toContain(`\`${back.msg}\``)
  expect(guide).toContain('`cannot be written back now`')
  expect(stuck.msg).toContain('cannot be written back now')
})
