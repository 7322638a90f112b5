/** The gate of a service with its first policy, over the stores that this asks for. */
import type { Policy } from '../../core/policy.ts'
import { createGate, type Gate } from './gate.ts'
import type { ServiceParts, Surroundings } from './parts.ts'
import { createMemoryStores, type Stores } from './stores.ts'

export type OpenGate =
  | { readonly ok: true; readonly gate: Gate; readonly parts: ServiceParts }
  | { readonly ok: false; readonly problem: string }

/** Opens the stores once: what a later policy says of them is for the next start. */
export async function openGate(policy: Policy, around: Surroundings): Promise<OpenGate> {
  if (policy.state.store !== 'memory') return { ok: false, problem: 'state.store: Redis is not supported yet' }
  return gateOver(createMemoryStores(around.state?.state), policy, around)
}

function gateOver(stores: Stores, policy: Policy, around: Surroundings): OpenGate {
  const { ledger, uses } = stores
  const parts = { ...around, ...stores, credentials: { ...around.issuers, records: ledger.records, uses } }
  return { ok: true, gate: createGate(policy, parts), parts }
}
