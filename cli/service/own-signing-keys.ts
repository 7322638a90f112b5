/** The keys that sign identities where the policy names none: made in this process, known to no other, and gone with it. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { IdentityTokenRules } from '../../core/policy.ts'
import type { Log } from '../../telemetry/log.ts'

type Algorithm = IdentityTokenRules['algorithm']

const MAKE: Readonly<Record<Algorithm, () => string>> = {
  ES256: () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  EdDSA: () => pemOf(generateKeyPairSync('ed25519')),
}

/** A private key of an algorithm, PKCS #8 in PEM: made when it is first asked for, then always the same. */
export type OwnSigningKey = (algorithm: Algorithm) => string

/** Says once for each algorithm that its key is this process's alone. */
export function createOwnSigningKeys(log: Pick<Log, 'signingKeyMade'>): OwnSigningKey {
  const made = new Map<Algorithm, string>()
  return (algorithm) => {
    const pem = made.get(algorithm) ?? MAKE[algorithm]()
    if (!made.has(algorithm)) log.signingKeyMade(algorithm)
    made.set(algorithm, pem)
    return pem
  }
}

function pemOf({ privateKey }: { readonly privateKey: KeyObject }): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
