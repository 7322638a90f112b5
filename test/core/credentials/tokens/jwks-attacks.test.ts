/** Attacks by the keys that an issuer publishes: what is in a set that somebody else writes. */
import { createHash, createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { createKeySet, MOST_KEYS_TRIED } from '../../../../core/credentials/tokens/key-set.ts'
import { usableKeys } from '../../../../core/credentials/tokens/usable-keys.ts'
import { goodClaims, newSigner, reasonOf, type Signer, trustedIssuer, verdictOf } from '../../../support/tokens.ts'

let ec: Signer
let rsa: Signer

beforeAll(async () => {
  ;[ec, rsa] = await Promise.all([newSigner('ES256', 'ec'), newSigner('RS256', 'rsa')])
})

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmacSigned = (secret: Buffer, header: object) => {
  const input = `${part(header)}.${part(goodClaims())}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

describe('weak keys of a remote set verify nothing', () => {
  const remote = (keys: unknown[], algorithms = ['RS256', 'ES256', 'HS256', 'EdDSA']) => {
    const origin = { kind: 'url', url: 'https://id.example.com/jwks', allowPrivateAddresses: false } as const
    return trustedIssuer([], { keys: origin, algorithms, keySet: createKeySet(origin, async () => ({ keys })) })
  }

  it('a symmetric key', async () => {
    const secret = Buffer.alloc(32, 7)
    const token = hmacSigned(secret, { alg: 'HS256', kid: 'oct' })
    const oct = { kty: 'oct', kid: 'oct', alg: 'HS256', k: secret.toString('base64url') }
    expect(reasonOf(await verdictOf(token, remote([oct])))).toBe('invalid_credential')
  })

  it('an RSA key of 1024 bits', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const input = `${part({ alg: 'RS256', kid: 'weak' })}.${part(goodClaims())}`
    const token = `${input}.${createSign('sha256').update(input).sign(privateKey, 'base64url')}`
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' }
    expect(reasonOf(await verdictOf(token, remote([jwk])))).toBe('invalid_credential')
  })

  it('an RSA key with the exponent 1, of which every message is its own signature', async () => {
    const input = `${part({ alg: 'RS256', kid: 'one' })}.${part(goodClaims())}`
    const token = `${input}.${paddedDigest(input, 256).toString('base64url')}`
    const jwk = { kty: 'RSA', n: rsa.jwk.n, e: 'AQ', kid: 'one', alg: 'RS256' }
    for (const issuer of [remote([jwk]), trustedIssuer([jwk], { algorithms: ['RS256'] })]) {
      expect(reasonOf(await verdictOf(token, issuer))).toBe('invalid_credential')
    }
  })

  it('a key that came with its private half', async () => {
    const whole = { ...(await exportJWK(ec.privateKey)), kid: 'ec', alg: 'ES256' }
    expect(reasonOf(await verdictOf(await ec.sign(goodClaims()), remote([whole])))).toBe('invalid_credential')
  })

  it('a key for encryption', async () => {
    const forEncryption = { ...ec.jwk, use: 'enc' }
    expect(reasonOf(await verdictOf(await ec.sign(goodClaims()), remote([forEncryption])))).toBe('invalid_credential')
  })

  it('a token that names no key is held against three, and a signature by the fourth is not looked for', async () => {
    const others = await Promise.all([1, 2, 3].map((n) => newSigner('ES256', `other-${n}`)))
    const nameless = await new SignJWT(goodClaims()).setProtectedHeader({ alg: 'ES256' }).sign(ec.privateKey)
    const outcome = async (before: number) => {
      const keys = [...others.slice(0, before), ec].map(({ jwk }) => jwk)
      return reasonOf(await verdictOf(nameless, remote(keys)))
    }
    expect(await outcome(MOST_KEYS_TRIED - 1)).toBe('proven')
    expect(await outcome(MOST_KEYS_TRIED)).toBe('invalid_credential')
  })

  it('and a good key beside them serves', async () => {
    const bad = [
      null,
      7,
      'text',
      { kty: 'oct', k: 'AA' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
      { kty: 'RSA', n: 'AA', e: 'AQAB' },
    ]
    expect(reasonOf(await verdictOf(await ec.sign(goodClaims()), remote([...bad, ec.jwk])))).toBe('proven')
  })
})

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2) of a text's SHA-256, as long as the modulus. */
function paddedDigest(text: string, length: number): Buffer {
  const digest = createHash('sha256').update(text).digest()
  const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex')
  const filler = Buffer.alloc(length - 3 - prefix.length - digest.length, 0xff)
  return Buffer.concat([Buffer.from([0, 1]), filler, Buffer.from([0]), prefix, digest])
}

describe('what is read of a set', () => {
  const names = (keys: readonly unknown[]) => usableKeys({ keys }).map(({ kid }) => kid)

  it('RSA keys from 2048 to 4096 bits, with an odd exponent of 3 or more', () => {
    const n = (bits: number) => Buffer.alloc(bits / 8, 0xff).toString('base64url')
    const key = (kid: string, bits: number, e = 'AQAB') => ({ kty: 'RSA', kid, n: n(bits), e })
    const good = [key('2048', 2048), key('4096', 4096), key('three', 2048, 'Aw'), key('32', 2048, '_____w')]
    const bad = [
      key('small', 2040),
      key('large', 4104),
      key('one', 2048, 'AQ'),
      key('two', 2048, 'Ag'),
      key('zero', 2048, 'AA'),
      key('even', 2048, 'AQAA'),
      key('none', 2048, ''),
      key('long', 2048, Buffer.alloc(5, 0xff).toString('base64url')),
      {
        kty: 'RSA',
        kid: 'zeros',
        n: Buffer.concat([Buffer.alloc(256), Buffer.alloc(128, 1)]).toString('base64url'),
        e: 'AQAB',
      },
    ]
    expect(names([...bad, ...good, ...bad])).toEqual(['2048', '4096', 'three', '32'])
  })

  it('no member of a key that nobody knows, and no key whose members have odd types', () => {
    const [read] = usableKeys({ keys: [{ ...ec.jwk, x5u: 'http://169.254.169.254/', ext: true }] })
    expect(Object.keys(read ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    for (const odd of [
      { kid: 7 },
      { alg: ['ES256'] },
      { key_ops: 'verify' },
      { key_ops: [[[]]] },
      { x: 7 },
      { crv: 'P-999' },
    ]) {
      expect(names([{ ...ec.jwk, ...odd }])).toEqual([])
    }
  })

  it('of a point that is not on its curve, nothing', () => {
    expect(names([{ ...ec.jwk, y: ec.jwk.x }])).toEqual([])
  })

  it('a hundred keys, and of more not one', () => {
    expect(names(Array(100).fill(ec.jwk))).toHaveLength(100)
    expect(() => usableKeys({ keys: Array(101).fill(ec.jwk) })).toThrow('more than 100')
  })

  it.each([undefined, null, 7, 'text', [], {}, { keys: {} }, { keys: 'text' }])('%j is no set', (document) => {
    expect(() => usableKeys(document)).toThrow(TypeError)
  })
})
