/** Tokens that were verified before, in this process's memory, bounded in entries and bytes. */
import { LRUCache } from 'lru-cache'
import type { VerifiedToken, VerifiedTokens } from '../core/credentials/jwt.ts'

const DEFAULT_BOUNDS = { entries: 50_000, bytes: 64 * 1024 * 1024 }

/** What an entry costs beside its claims: hash, principal, and the cache's own links. */
const ENTRY_BYTES = 512

/** The least recently used go first. Entries are judged by their own `expiresAt`, never by this cache's clock. */
export function createVerifiedTokens(bounds = DEFAULT_BOUNDS): VerifiedTokens {
  // bounded by size alone: with `max` the library would set room aside for all entries at once, which stalls a reload
  const least = Math.max(ENTRY_BYTES, Math.ceil(bounds.bytes / bounds.entries))
  return new LRUCache<string, VerifiedToken>({
    maxSize: bounds.bytes,
    sizeCalculation: ({ principal }) =>
      Math.max(least, ENTRY_BYTES + 4 * JSON.stringify(principal.claims ?? {}).length),
  })
}
