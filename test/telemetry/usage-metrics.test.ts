/** A scrape tells what became of counted usage, as it is at that moment. */
import { expect, it } from 'vitest'
import { createMetrics } from '../../telemetry/metrics.ts'

it('tells what waits, is written, and is lost', async () => {
  const metrics = createMetrics(() => 0)
  const counts = { waiting: 3, counted: 100, written: 80, lost: 5, folded: 7, failures: 2 }
  metrics.addUsage(() => counts)
  const told = async () =>
    (await metrics.scrape()).text.split('\n').filter((line) => line.startsWith('tenantgate_usage_'))
  expect(await told()).toEqual([
    'tenantgate_usage_waiting_lines 3',
    'tenantgate_usage_counted_total 100',
    'tenantgate_usage_written_total 80',
    'tenantgate_usage_lost_total 5',
    'tenantgate_usage_others_total 7',
    'tenantgate_usage_write_failures_total 2',
  ])
  counts.written = 95
  expect(await told()).toContain('tenantgate_usage_written_total 95')
})
