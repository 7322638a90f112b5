/** All forged tokens, by the names that the table calls them by. */
import { ALGORITHMS } from './forged/algorithms.ts'
import { NO_MORE, NO_TENANT, REFUSED_CLAIMS } from './forged/claims.ts'
import type { KeyRing } from './forged/jws.ts'
import { OTHER_HALF, SIGNATURES } from './forged/signatures.ts'

const FORGED = { ...ALGORITHMS, ...SIGNATURES, ...OTHER_HALF, ...REFUSED_CLAIMS, ...NO_TENANT, ...NO_MORE }

export type ForgedToken = keyof typeof FORGED

export function forgedTokens(ring: KeyRing): Record<ForgedToken, string> {
  return Object.fromEntries(Object.entries(FORGED).map(([name, make]) => [name, make(ring)])) as Record<
    ForgedToken,
    string
  >
}
