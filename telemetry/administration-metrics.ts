/** What Prometheus reads of the state file and of the audit: numbers that they keep anyway, read when someone scrapes. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface StateCounts {
  /** Records of keys and revocations. */
  readonly size: number
  /** Records that held and were taken out of the file. */
  readonly lost: number
  /** Why the file could not be read, the last time. */
  readonly problem: string | undefined
}

export interface AuditCounts {
  readonly lost: number
}

export function addStateMetrics(registry: Registry, counts: StateCounts): void {
  const registers = [registry]
  new Gauge({
    name: 'tenantgate_state_records',
    help: 'Records of keys and revocations that are in force.',
    registers,
    collect() {
      this.set(counts.size)
    },
  })
  new Counter({
    name: 'tenantgate_state_records_lost_total',
    help: 'Records that were in force and have been taken out of the state file since.',
    registers,
    collect() {
      this.reset()
      this.inc(counts.lost)
    },
  })
  new Gauge({
    name: 'tenantgate_state_last_read_successful',
    help: 'Whether the state file, as it was last read, is in force: 0 while a bad one waits to be mended.',
    registers,
    collect() {
      this.set(counts.problem === undefined ? 1 : 0)
    },
  })
}

export function addAuditMetrics(registry: Registry, counts: AuditCounts): void {
  new Counter({
    name: 'tenantgate_audit_lines_lost_total',
    help: 'Lines of the audit that could not be written: a full disk, or a reader that is too slow.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(counts.lost)
    },
  })
}
