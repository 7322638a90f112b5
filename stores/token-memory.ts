/** What is known of tokens that came before, in this process's memory: the good ones bounded in bytes and fair to tenants, the bad ones apart. */
import { LRUCache } from 'lru-cache'
import type { Principal } from '../core/credentials/principal.ts'
import type { SeenTokens, VerifiedToken, VerifiedTokens } from '../core/credentials/tokens/jwt.ts'
import type { IntrospectedToken, IntrospectedTokens } from '../core/credentials/tokens/opaque-token.ts'
import type { RefusedToken, RefusedTokens } from '../core/credentials/tokens/refused-tokens.ts'
import { createFairMemory, type FairMemory } from './fair-memory.ts'

/** What was not used lately goes first. Entries are judged by the times they carry, never by a cache's clock. */
export interface TokenMemory {
  readonly verified: VerifiedTokens
  readonly introspected: IntrospectedTokens
  readonly refused: RefusedTokens
  readonly seen: SeenTokens
}

/** Empty; for one policy. `seen` is of the process, and goes on from policy to policy. */
export function createTokenMemory(seen: SeenTokens = createSeenTokens()): TokenMemory {
  return {
    verified: createVerifiedTokens(),
    introspected: createIntrospectedTokens(),
    refused: createRefusedTokens(),
    seen,
  }
}

interface Bounds {
  readonly entries: number
  readonly bytes: number
}

const PROVEN: Bounds = { entries: 50_000, bytes: 64 * 1024 * 1024 }
const MOST_REFUSED = 10_000

export function createVerifiedTokens(bounds = PROVEN): VerifiedTokens {
  return boundedBySize<VerifiedToken>(bounds)
}

export function createIntrospectedTokens(bounds = PROVEN): IntrospectedTokens {
  return boundedBySize<IntrospectedToken>(bounds)
}

export function createRefusedTokens(entries = MOST_REFUSED): RefusedTokens {
  return new LRUCache<string, RefusedToken>({ max: entries })
}

/** Hashes alone, the least recently shown go first. */
export function createSeenTokens(entries = PROVEN.entries): SeenTokens {
  const hashes = new LRUCache<string, true>({ max: entries })
  return { has: (tokenHash) => hashes.get(tokenHash) === true, add: (tokenHash) => void hashes.set(tokenHash, true) }
}

/** What an entry costs beside its claims: hash, principal, and the cache's own links. */
const ENTRY_BYTES = 512

function boundedBySize<T extends { readonly principal: Principal }>({ entries, bytes }: Bounds): FairMemory<T> {
  const least = Math.max(ENTRY_BYTES, Math.ceil(bytes / entries))
  return createFairMemory<T>({
    bytes,
    sizeOf: ({ principal }) => Math.max(least, ENTRY_BYTES + 4 * JSON.stringify(principal.claims ?? {}).length),
    ownerOf: ({ principal }) => principal.tenantName ?? '',
  })
}
