/** What Prometheus reads of requests that a limit holds back instead of refusing. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Seconds; a limit's delay is at most 5 s. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5]

export interface WaitingCount {
  readonly waiting: number
}

/** Answers what is to be told of each request that begins to wait, and for how many ms. */
export function addDelayMetrics(registry: Registry): (ms: number) => void {
  const registers = [registry]
  const delayed = new Counter({
    name: 'tenantgate_delayed_requests_total',
    help: 'Requests that a limit has held back instead of refusing them.',
    registers,
  })
  const delay = new Histogram({
    name: 'tenantgate_request_delay_seconds',
    help: 'For how long requests were held back by a limit.',
    buckets: BUCKETS,
    registers,
  })
  return (ms) => {
    delayed.inc()
    delay.observe(ms / 1000)
  }
}

export function addWaitingMetrics(registry: Registry, counts: WaitingCount): void {
  new Gauge({
    name: 'tenantgate_waiting_requests',
    help: 'Requests that a limit holds back now.',
    registers: [registry],
    collect() {
      this.set(counts.waiting)
    },
  })
}
