/** What Prometheus reads of an OpenFeature provider: how it is, asked when someone scrapes. */
import { Gauge, type Registry } from 'prom-client'

/** As OpenFeature has them: https://openfeature.dev/specification/types#provider-status */
const STATES = ['NOT_READY', 'READY', 'STALE', 'ERROR', 'FATAL']

export function addFlagProviderMetrics(registry: Registry, status: () => string): void {
  new Gauge({
    name: 'tenantgate_flag_provider_status',
    help: 'How the OpenFeature provider is: 1 for the status that it has, 0 for the others.',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      const now = status()
      for (const state of STATES) this.set({ status: state.toLowerCase() }, state === now ? 1 : 0)
    },
  })
}
