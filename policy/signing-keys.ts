/**
 * The private keys that sign identity tokens: read from where the policy says, and checked. Faults never quote them.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { IdentityTokenRules } from '../core/policy.ts'
import type { Outside, Resolved } from './outside.ts'
import type { Fault, PolicyPath } from './problem.ts'
import type { SecretReference } from './schema/secrets.ts'
import type { PolicyFile } from './schema.ts'
import { readSecret } from './secret.ts'

type Algorithm = IdentityTokenRules['algorithm']

/** What each algorithm signs with (RFC 7518 §3.4, RFC 8037 §3.1), by OpenSSL's name of its curve or type. */
const KEY_OF: Readonly<Record<Algorithm, { readonly curve: string; readonly made: string }>> = {
  ES256: { curve: 'prime256v1', made: 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256' },
  EdDSA: { curve: 'ed25519', made: 'openssl genpkey -algorithm ed25519' },
}

/** PEM texts in the order of the policy, without those that have a fault. */
export function resolveSigningKeys(
  token: PolicyFile['identity']['token'],
  outside: Outside,
): { readonly keys: readonly string[]; readonly faults: readonly Fault[] } {
  const keys: string[] = []
  const faults: Fault[] = []
  const first = new Map<string, PolicyPath>()
  for (const [index, reference] of (token?.keys ?? []).entries()) {
    const path = ['identity', 'token', 'keys', index]
    const key = readSigningKey(reference, path, token?.algorithm ?? 'ES256', outside)
    if ('fault' in key) {
      faults.push(key.fault)
      continue
    }
    const { pem, publicKey } = key.value
    const also = first.get(publicKey)
    if (also) faults.push({ path, also, message: 'is a key that stands there already', fix: 'each key once' })
    else first.set(publicKey, path)
    keys.push(pem)
  }
  return { keys, faults }
}

function readSigningKey(
  reference: SecretReference,
  path: PolicyPath,
  algorithm: Algorithm,
  outside: Outside,
): Resolved<{ readonly pem: string; readonly publicKey: string }> {
  const read = readSecret(reference, path, outside)
  if ('fault' in read) return read
  const { curve, made } = KEY_OF[algorithm]
  const fix = `what \`${made}\` makes`
  const key = privateKeyOf(read.value)
  if (!key) return { fault: { path, message: 'is not a private key in PKCS #8 PEM', fix } }
  if (curveOf(key) !== curve) return { fault: { path, message: `is not a key for ${algorithm}`, fix } }
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
  return { value: { pem: read.value, publicKey } }
}

/** RFC 7468 §10; another label is another format, which the signing library would refuse at the first request. */
function privateKeyOf(pem: string): KeyObject | undefined {
  if (!/^\s*-----BEGIN PRIVATE KEY-----\s/.test(pem)) return undefined
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function curveOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  return asymmetricKeyType === 'ec' ? asymmetricKeyDetails?.namedCurve : asymmetricKeyType
}
