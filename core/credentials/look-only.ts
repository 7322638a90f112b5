/** What credentials are verified with where nobody presents them: all that is known counts, and nothing is learnt from it. */
import type { CredentialParts } from './authenticate.ts'
import { NO_KEY_USES } from './records.ts'

/** A failure blocks nobody, a blocked address is blocked; no use is noted, no verdict is kept. */
export function onlyLookedUp(parts: CredentialParts): CredentialParts {
  const { failures, verified, introspected, refused, seen } = parts
  const ignored = { set() {}, delete() {} }
  return {
    ...parts,
    uses: NO_KEY_USES,
    failures: {
      blockedForMs: (address, rule, now) => failures.blockedForMs(address, rule, now),
      begin: (address, rule, now) => failures.blockedForMs(address, rule, now),
      failed() {},
      end() {},
      beginLookup: () => true,
      endLookup() {},
    },
    verified: { ...ignored, get: (hash) => verified.get(hash) },
    introspected: { ...ignored, get: (hash) => introspected.get(hash) },
    refused: { ...ignored, get: (hash) => refused.get(hash) },
    seen: { has: (hash) => seen.has(hash), add() {} },
  }
}
