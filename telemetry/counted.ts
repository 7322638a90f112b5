/** Metrics over numbers that somebody keeps anyway: they are read when someone scrapes. */
import { Counter, Gauge, type Registry } from 'prom-client'

type Labels = Readonly<Record<string, string>>

export interface CountersOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** Each series with its count since the beginning. */
  readonly read: () => readonly (readonly [labels: Labels, count: number])[]
}

/** A counter that stands where the numbers stand. */
export function countersOf(registry: Registry, { name, help, labels = [], read }: CountersOptions): void {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset()
      for (const [series, count] of read()) this.inc(series, count)
    },
  })
}

export function gaugeOf(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })
}
