/** Where state lives, as the policy says: the address of a store with its secrets, and for how long what is held of it is good. */
import type { RedisPlace, StateRules } from '../core/policy.ts'
import type { Outside, Resolved } from './outside.ts'
import type { Fault } from './problem.ts'
import { readRedisAddress } from './redis-address.ts'
import type { SecretReference } from './schema/secrets.ts'
import type { PolicyFile } from './schema.ts'
import { readSecret } from './secret.ts'
import { durationMs } from './units.ts'

type StateFile = PolicyFile['state']

export interface ResolvedState {
  readonly rules: StateRules
  readonly faults: readonly Fault[]
}

/**
 * With what the file names read. Where the policy itself is read from a store (`isStored`), that one is where state lives: what the file says
 * of its address is left alone, and whoever reads the policy puts the place in.
 */
export function resolveState({ state }: PolicyFile, outside: Outside, isStored: boolean): ResolvedState {
  const { cache, staleFor, timeout, lookupTimeout, lease } = state
  const times = {
    cacheMs: durationMs(cache),
    staleForMs: durationMs(staleFor),
    timeoutMs: durationMs(timeout),
    lookupTimeoutMs: durationMs(lookupTimeout),
    leaseMs: lease === 'off' ? 0 : durationMs(lease),
  }
  const faults: Fault[] = []
  const place = isStored ? undefined : placeOf(state, outside, faults)
  return { rules: { store: place ?? 'memory', ...times }, faults }
}

/** Undefined for memory. */
function placeOf(state: StateFile, outside: Outside, faults: Fault[]): RedisPlace | undefined {
  const address = readRedisAddress(state.store)
  // the schema has let through no other text than `memory`
  if (!address.ok) return undefined
  const found = <T>(resolved: Resolved<T> | undefined): T | undefined => {
    if (resolved && 'fault' in resolved) faults.push(resolved.fault)
    return resolved && 'value' in resolved ? resolved.value : undefined
  }
  const secret = (name: 'password' | 'sentinelPassword' | 'key') => found(secretAt(state[name], name, outside))
  const { username, prefix = address.place.prefix } = state
  const [password, sentinelPassword] = [secret('password'), secret('sentinelPassword')]
  const ca = found(pemAt(state.ca, 'ca', outside))
  const certificate = found(pemAt(state.certificate, 'certificate', outside))
  const key = found(pemIn(secretAt(state.key, 'key', outside), 'key'))
  return {
    ...address.place,
    prefix,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(address.place.tls && {
      tls: {
        ...(ca !== undefined && { ca }),
        ...(certificate !== undefined && { certificate }),
        ...(key !== undefined && { key }),
      },
    }),
  }
}

function secretAt(
  reference: SecretReference | undefined,
  name: string,
  outside: Outside,
): Resolved<string> | undefined {
  const path = ['state', name]
  const read = reference && readSecret(reference, path, outside)
  if (!read || 'fault' in read || read.value !== '') return read
  return { fault: { path, message: 'the secret there is empty' } }
}

function pemAt(file: string | undefined, name: string, { read }: Outside): Resolved<string> | undefined {
  if (file === undefined) return undefined
  const content = read(file)
  if ('failure' in content) return { fault: { path: ['state', name], message: `the file ${content.failure}` } }
  return pemIn({ value: content.text }, name)
}

/** RFC 7468 §2. */
function pemIn(resolved: Resolved<string> | undefined, name: string): Resolved<string> | undefined {
  if (!resolved || 'fault' in resolved || resolved.value.includes('-----BEGIN ')) return resolved
  return { fault: { path: ['state', name], message: 'what stands there is not PEM' } }
}
