/** An issuer's public keys: from a file, or fetched with a cool-down, one flight at a time, and trusted for a bounded time. */
import { type CryptoKey, createLocalJWKSet, errors, type JWK, type JWSHeaderParameters } from 'jose'
import type { KeyOrigin } from '../../policy.ts'
import { createKeyAge } from './key-age.ts'
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
 * size and addresses are its own business. Calls `onSlow` when the answer is not there as soon as a request can wait for it.
 */
export type FetchKeys = (from: RemoteKeys, onSlow: () => void) => Promise<unknown>

export type RemoteKeys = Extract<KeyOrigin, { kind: 'url' }>

/** No key set can be had: the issuer is away for longer than its last keys are trusted, or was never there. */
export class KeysUnavailable extends Error {}

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

/** A token that does not say by which key it was signed is held against so many: enough for a rotation, and each costs a signature. */
export const MOST_KEYS_TRIED = 3

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

/** So many tokens at a time wait for one fetch; for more it is as if it had failed. */
export const MOST_WAITING = 512

/** A fetch that has not ended yet. */
interface Flight {
  /** Who waits for its end, or until it takes longer than anybody is kept waiting. */
  readonly waiting: Set<() => void>
  isSlow: boolean
}

function letGo({ waiting }: Flight): void {
  for (const goOn of waiting) goOn()
  waiting.clear()
}

/** The keys of the last document. */
function createCurrentKeys() {
  let keysOf: KeysOf | undefined
  let generation = 0
  let content = ''
  return {
    generation: () => generation,
    adopt(document: unknown): void {
      const keys = usableKeys(document)
      const text = JSON.stringify(keys)
      if (text === content) return
      keysOf = keysIn(keys)
      content = text
      generation += 1
    },
    /** Both are of one set, whatever is adopted while keys are imported: the generation is read before anything is waited for. */
    async find(header: JWSHeaderParameters): Promise<FoundKeys | undefined> {
      return keysOf && { generation, keys: await keysOf(header) }
    },
  }
}

function remoteKeySet(origin: RemoteKeys, fetchKeys: FetchKeys): KeySet {
  const age = createKeyAge()
  const current = createCurrentKeys()
  let failure = ''
  let flight: Flight | undefined

  /** The fetch under way, or a new one unless the last is too recent. It never rejects: the caller sees what is known. */
  function refresh(now: number): Flight | undefined {
    if (flight || !age.mayFetch(now)) return flight
    age.fetching(now)
    const begun: Flight = { waiting: new Set(), isSlow: false }
    flight = begun
    fetchKeys(origin, () => {
      begun.isSlow = true
      letGo(begun)
    })
      .then((document) => {
        current.adopt(document)
        age.fetched(now)
      })
      .catch((reason: unknown) => {
        failure = reason instanceof Error ? reason.message : 'no answer'
      })
      .finally(() => {
        age.tried(now)
        flight = undefined
        letGo(begun)
      })
    return flight
  }

  async function awaitRefresh(now: number): Promise<void> {
    const joined = refresh(now)
    if (!joined || joined.isSlow || joined.waiting.size >= MOST_WAITING) return
    await new Promise<void>((goOn) => joined.waiting.add(goOn))
  }

  function refreshWhenOld(now: number): void {
    if (age.isOld(now)) refresh(now)
  }

  async function find(header: JWSHeaderParameters): Promise<FoundKeys> {
    const found = await current.find(header)
    if (!found) throw new KeysUnavailable(failure)
    return found
  }

  /** A key that nobody knows while a fetch goes on may be in what is fetched: the token is not refused for good. */
  async function findNow(header: JWSHeaderParameters): Promise<FoundKeys> {
    try {
      return await find(header)
    } catch (error) {
      if (flight && error instanceof errors.JWKSNoMatchingKey) throw new KeysUnavailable('their fetch takes too long')
      throw error
    }
  }

  return {
    get generation() {
      return current.generation()
    },
    isTrusted: age.isTrusted,
    refreshWhenOld,
    async keysFor(header, now) {
      if (!age.isTrusted(now)) await awaitRefresh(now)
      // a fetch that is still under way may bring the news that a key was removed
      if (flight && !age.isTrusted(now)) throw new KeysUnavailable('their fetch takes too long')
      if (!age.isWithinTrust(now)) throw new KeysUnavailable(failure)
      refreshWhenOld(now)
      try {
        return await find(header)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        await awaitRefresh(now)
        return await findNow(header)
      }
    },
  }
}
