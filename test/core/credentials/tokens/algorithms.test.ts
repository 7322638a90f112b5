/** Every algorithm that a policy may allow verifies what it has signed, and nothing else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createKeySet } from '../../../../core/credentials/tokens/key-set.ts'
import { packageRoot } from '../../../../package-root.ts'
import { goodClaims, NO_FETCH, newSigner, reasonOf, trustedIssuer, verdictOf } from '../../../support/tokens.ts'

const schema = JSON.parse(readFileSync(join(packageRoot, 'policy', 'policy.schema.json'), 'utf8'))
const algorithms: readonly string[] = schema.properties.issuers.items.properties.algorithms.items.enum
const asymmetric = algorithms.filter((alg) => alg !== 'HS256')

/** One character of the signature is another. */
const spoilt = (token: string) => {
  const at = token.lastIndexOf('.') + 10
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

it('are those that the policy names', () => {
  expect(asymmetric).toHaveLength(10)
  expect(algorithms).toContain('HS256')
})

describe.each(asymmetric)('%s', (alg) => {
  it('proves what the key has signed, and nothing that somebody else has', async () => {
    const [signer, stranger] = await Promise.all([newSigner(alg), newSigner(alg)])
    const issuer = trustedIssuer([signer.jwk], { algorithms: [alg] })
    const token = await signer.sign(goodClaims())
    expect(reasonOf(await verdictOf(token, issuer))).toBe('proven')
    expect(reasonOf(await verdictOf(spoilt(token), issuer))).toBe('invalid_credential')
    expect(reasonOf(await verdictOf(await stranger.sign(goodClaims()), issuer))).toBe('invalid_credential')
  })

  it('is not allowed by any other', async () => {
    const signer = await newSigner(alg)
    const others = algorithms.filter((other) => other !== alg)
    const issuer = trustedIssuer([signer.jwk], { algorithms: others })
    expect(reasonOf(await verdictOf(await signer.sign(goodClaims()), issuer))).toBe('invalid_credential')
  })
})

it('HS256 proves what the secret has signed, and nothing that another secret has', async () => {
  const keys = { kind: 'secret', secret: 'x'.repeat(32) } as const
  const issuer = trustedIssuer([], { algorithms: ['HS256'], keys, keySet: createKeySet(keys, NO_FETCH) })
  const sign = (secret: string) =>
    new SignJWT(goodClaims()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret))
  expect(reasonOf(await verdictOf(await sign('x'.repeat(32)), issuer))).toBe('proven')
  expect(reasonOf(await verdictOf(await sign('y'.repeat(32)), issuer))).toBe('invalid_credential')
})
