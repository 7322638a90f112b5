/** What Prometheus reads of Kong's plugin server: numbers that it keeps anyway, read when someone scrapes. */
import { Counter, Gauge, type Registry } from 'prom-client'

/** Labels come from what the server itself knows: its outcomes and its plugins. */
export interface PluginServerCounts {
  readonly underWay: number
  readonly connections: number
  /** Events that have ended, by outcome. */
  readonly ended: Readonly<Record<string, number>>
  /** Instances by plugin. */
  instances(): ReadonlyMap<string, number>
}

/** Adds the series of one plugin server to `registry`. */
export function addPluginServerMetrics(registry: Registry, counts: PluginServerCounts): void {
  const registers = [registry]
  new Counter({
    name: 'tenantgate_kong_events_total',
    help: 'Plugin events of Kong by how they ended; all but done, exited and abandoned were refused by the plugin server.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, count] of Object.entries(counts.ended)) this.inc({ outcome }, count)
    },
  })
  new Gauge({
    name: 'tenantgate_kong_events_under_way',
    help: 'Plugin events that have begun and not ended.',
    registers,
    collect() {
      this.set(counts.underWay)
    },
  })
  new Gauge({
    name: 'tenantgate_kong_connections',
    help: 'Open connections of Kong to the plugin server.',
    registers,
    collect() {
      this.set(counts.connections)
    },
  })
  new Gauge({
    name: 'tenantgate_kong_instances',
    help: 'Plugin instances: one for each configuration in each worker of Kong.',
    labelNames: ['plugin'],
    registers,
    collect() {
      for (const [plugin, count] of counts.instances()) this.set({ plugin }, count)
    },
  })
}
