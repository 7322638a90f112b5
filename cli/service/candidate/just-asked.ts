/** Answers that the live policy has just had of a token's issuer, for a candidate that would ask the same at once. */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Introspect, Introspection } from '../../../core/credentials/tokens/opaque-token.ts'
import type { IntrospectionEndpoint } from '../../../core/policy.ts'

export interface JustAsked {
  /** Asks, and remembers for a while what it was told. */
  readonly ask: Introspect
  /** What `ask` was told of the same token by the same endpoint a moment ago; asks where there is no such answer. */
  readonly askOnce: Introspect
}

/** A candidate is asked right after the live policy, at most some hundred milliseconds later. */
const JUST_MS = 10_000
const MOST_ANSWERS = 1000

interface Asked {
  readonly at: number
  readonly answer: Promise<Introspection>
}

/** `elapsed` gives ms from anywhere, never going back. */
export function createJustAsked(introspect: Introspect, elapsed: () => number): JustAsked {
  const asked = new LRUCache<string, Asked>({ max: MOST_ANSWERS })
  return {
    ask(endpoint, token) {
      const answer = introspect(endpoint, token)
      asked.set(keyOf(endpoint, token), { at: elapsed(), answer })
      return answer
    },
    askOnce(endpoint, token) {
      const known = asked.get(keyOf(endpoint, token))
      return known && elapsed() - known.at < JUST_MS ? known.answer : introspect(endpoint, token)
    },
  }
}

/** Holds neither the token nor our secret. Another client of the same endpoint may be told something else. */
function keyOf({ url, clientId, clientSecret, clientAuth }: IntrospectionEndpoint, token: string): string {
  return hash('sha256', JSON.stringify([url, clientId, clientSecret, clientAuth, token]), 'base64')
}
