/** What a service needs of the gateway that it serves. */
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { Addresses } from '../../telemetry/log.ts'
import type { GatewayServer, Wanted } from './listeners.ts'

/** What a gateway calls, and where. */
export interface Gateway {
  readonly server: GatewayServer & { drain(timeoutMs: number): Promise<boolean> }
  readonly listen: Pick<Wanted['gateway'], 'addresses' | 'guard'>
  /** Under which name its addresses are told when serving begins. */
  told(addresses: readonly string[]): Omit<Addresses, 'http' | 'admin'>
  /** Reads again what it follows besides the policy. */
  reload?(): MaybePromise<void>
  /** Follows nothing any more, and lets nobody in. */
  close?(): void
}
