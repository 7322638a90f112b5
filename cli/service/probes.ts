/** The listener for probes and metrics, and what it says through the life of a service. */
import { createHttpServer } from '../../telemetry/http.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Gate } from './gate.ts'
import type { ListenAddress } from './listen-address.ts'
import { type Listeners, openListeners } from './listeners.ts'
import type { StoreHealth, Stores } from './stores.ts'

export interface Probes {
  /** Binds it, where there is an address for it. A problem says in words why it cannot be had. */
  open(address: ListenAddress | undefined): ReturnType<typeof openListeners>
  /** As it was bound; undefined where it is not. */
  address(): string | undefined
  /** From now on requests are decided, as well as the stores are. */
  serve(gate: Pick<Gate, 'identityKeys'>, stores: Pick<Stores, 'health'>): void
  /** From now on no traffic should come. */
  drain(): void
  close(): void
}

/** `waitsFor` says why nothing is served yet. */
export function createProbes(metrics: Pick<Metrics, 'scrape'>, waitsFor: () => string): Probes {
  let health = (): StoreHealth => ({ notReady: waitsFor() })
  let identityKeys: Gate['identityKeys'] = () => undefined
  let listeners: Listeners | undefined
  const server = createHttpServer({ metrics, health: () => health(), identityKeys: () => identityKeys() })
  return {
    async open(address) {
      const opened = await openListeners({ others: [{ name: 'http', server, address }] })
      if (opened.ok) listeners = opened.listeners
      return opened
    },
    address: () => listeners?.addresses.http,
    serve(gate, stores) {
      identityKeys = gate.identityKeys
      health = stores.health
    },
    drain() {
      health = () => ({ notReady: 'draining' })
    },
    close: () => listeners?.closeOthers(),
  }
}
