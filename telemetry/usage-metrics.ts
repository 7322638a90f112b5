/** What Prometheus reads of counted usage on its way to where it is kept: numbers that are kept anyway, read when someone scrapes. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface UsageCounts {
  /** Lines that are not written yet. */
  readonly waiting: number
  /** Decisions by what became of them: those that are in neither of the others wait. */
  readonly counted: number
  readonly written: number
  readonly lost: number
  /** Decisions that were counted among others, for want of lines. */
  readonly folded: number
  /** Writes that failed. */
  readonly failures: number
}

const TOTALS = {
  counted: ['tenantgate_usage_counted_total', 'Decisions that were counted as usage.'],
  written: ['tenantgate_usage_written_total', 'Counted decisions that are written where usage is kept.'],
  lost: ['tenantgate_usage_lost_total', 'Counted decisions that could not be written for two days and were forgotten.'],
  folded: [
    'tenantgate_usage_others_total',
    'Counted decisions whose credential, route or tenant is told as others, because there were too many lines.',
  ],
  failures: ['tenantgate_usage_write_failures_total', 'Writes of usage that failed; they are tried again.'],
} as const

/** `counts` is asked at each scrape. */
export function addUsageMetrics(registry: Registry, counts: () => UsageCounts): void {
  const registers = [registry]
  new Gauge({
    name: 'tenantgate_usage_waiting_lines',
    help: 'Lines of usage that are not written yet.',
    registers,
    collect() {
      this.set(counts().waiting)
    },
  })
  for (const [of, [name, help]] of Object.entries(TOTALS)) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(counts()[of as keyof typeof TOTALS])
      },
    })
  }
}
