/** An issuer's public keys: from a file, or fetched with a cool-down, one flight at a time, and trusted for a bounded time. */
import { type CryptoKey, createLocalJWKSet, errors, type JWK, type JWSHeaderParameters } from 'jose'
import type { KeyOrigin } from '../../policy.ts'
import { usableKeys } from './usable-keys.ts'

/** The keys by which one issuer's tokens are verified. */
export interface KeySet {
  /** Grows whenever the keys change: what older keys have verified must be verified again. */
  readonly generation: number
  /**
   * The keys that may have signed a token with this header. Rejects with jose's `JWKSNoMatchingKey` when the issuer has no such
   * key, and with `KeysUnavailable` when no key set within the trusted age can be had.
   */
  keysFor(header: JWSHeaderParameters, now: number): Promise<FoundKeys>
  /** Called on every use, also of cached verdicts: refreshes old keys in the background, so that removed ones are noticed. */
  refreshWhenOld(now: number): void
  /** Whether verdicts reached with these keys may still be used without asking for a key again. */
  isTrusted(now: number): boolean
}

export interface FoundKeys {
  /** More than one where the token does not say which, or the issuer has several of that id. */
  readonly keys: readonly (CryptoKey | Uint8Array)[]
  /** Of the set that they are of, which may have changed since. */
  readonly generation: number
}

/**
 * Fetches a JWKS document. Rejects when it cannot, with a message for the log that quotes nothing of the answer. Bounds on time,
 * size and addresses are its own business.
 */
export type FetchKeys = (from: RemoteKeys) => Promise<unknown>

export type RemoteKeys = Extract<KeyOrigin, { kind: 'url' }>

/** No key set can be had: the issuer is away for longer than its last keys are trusted, or was never there. */
export class KeysUnavailable extends Error {}

/**
 * Milliseconds. Between two fetches lies `coolDown`, or the shorter one after a failure. Keys older than `refreshAfter` are
 * renewed while they serve on; where nobody has tried that for `waitAfter`, as after a quiet night, the next token waits for it,
 * so that a key which the issuer has removed meanwhile opens nothing. Keys older than `trust` are refused.
 */
export const KEY_AGE = {
  coolDownMs: 30_000,
  coolDownAfterFailureMs: 2_000,
  refreshAfterMs: 10 * 60_000,
  waitAfterMs: 20 * 60_000,
  trustMs: 24 * 60 * 60_000,
} as const

export function createKeySet(origin: KeyOrigin, fetchKeys: FetchKeys): KeySet {
  if (origin.kind === 'url') return remoteKeySet(origin, fetchKeys)
  const keysOf = localKeys(origin)
  return {
    generation: 0,
    keysFor: async (header) => ({ keys: await keysOf(header), generation: 0 }),
    refreshWhenOld() {},
    isTrusted: () => true,
  }
}

type KeysOf = (header: JWSHeaderParameters) => Promise<FoundKeys['keys']>

function localKeys(origin: KeyOrigin): KeysOf {
  if (origin.kind === 'secret') return always(new TextEncoder().encode(origin.secret))
  // tokens that somebody else verifies are verified by no key of ours
  return keysIn(origin.kind === 'jwks' ? usableKeys(origin.jwks) : [])
}

function always(secret: Uint8Array): KeysOf {
  return async () => [secret]
}

/** An issuer may have this many keys of one kind for a token that does not say which. */
const MOST_KEYS_TRIED = 8

function keysIn(keys: JWK[]): KeysOf {
  const find = createLocalJWKSet({ keys })
  return async (header) => {
    try {
      return [await find(header)]
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      const several: CryptoKey[] = []
      for await (const key of error) if (several.push(key) === MOST_KEYS_TRIED) break
      return several
    }
  }
}

function remoteKeySet(origin: RemoteKeys, fetchKeys: FetchKeys): KeySet {
  let keysOf: KeysOf | undefined
  let generation = 0
  let content = ''
  let fetchedAt = Number.NEGATIVE_INFINITY
  let nextFetchAt = Number.NEGATIVE_INFINITY
  /** When the last fetch was begun that has ended, well or not. */
  let triedAt = Number.NEGATIVE_INFINITY
  let failure = ''
  let flight: Promise<void> | undefined

  /** The age of the keys in ms. A clock that was set back makes them as old as then: ages count on from there. */
  function ageAt(now: number): number {
    fetchedAt = Math.min(fetchedAt, now)
    triedAt = Math.min(triedAt, now)
    nextFetchAt = Math.min(nextFetchAt, now + KEY_AGE.coolDownMs)
    return now - fetchedAt
  }

  const isWithinTrust = (now: number) => ageAt(now) < KEY_AGE.trustMs
  const isTrusted = (now: number) => isWithinTrust(now) && now - triedAt < KEY_AGE.waitAfterMs

  function adopt(document: unknown, now: number): void {
    const keys = usableKeys(document)
    const text = JSON.stringify(keys)
    if (text !== content) {
      keysOf = keysIn(keys)
      content = text
      generation += 1
    }
    fetchedAt = now
    nextFetchAt = now + KEY_AGE.coolDownMs
  }

  /** Joins the fetch under way, or starts one unless the last is too recent. Never rejects: the caller sees what is known. */
  function refresh(now: number): Promise<void> {
    if (flight) return flight
    if (now < nextFetchAt) return Promise.resolve()
    nextFetchAt = now + KEY_AGE.coolDownAfterFailureMs
    flight = fetchKeys(origin)
      .then((document) => adopt(document, now))
      .catch((reason: unknown) => {
        failure = reason instanceof Error ? reason.message : 'no answer'
      })
      .finally(() => {
        triedAt = now
        flight = undefined
      })
    return flight
  }

  function refreshWhenOld(now: number): void {
    if (ageAt(now) >= KEY_AGE.refreshAfterMs) void refresh(now)
  }

  /** Both are of one set, whatever is adopted while keys are imported: the generation is read before anything is waited for. */
  async function find(header: JWSHeaderParameters): Promise<FoundKeys> {
    if (!keysOf) throw new KeysUnavailable(failure)
    return { generation, keys: await keysOf(header) }
  }

  return {
    get generation() {
      return generation
    },
    isTrusted,
    refreshWhenOld,
    async keysFor(header, now) {
      if (!isTrusted(now)) await refresh(now)
      if (!isWithinTrust(now)) throw new KeysUnavailable(failure)
      refreshWhenOld(now)
      try {
        return await find(header)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        await refresh(now)
        return await find(header)
      }
    },
  }
}
