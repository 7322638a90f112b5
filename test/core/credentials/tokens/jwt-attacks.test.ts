/** Attacks on the verification of tokens, each by its name; the token that is attacked is good. */
import { createHmac, createSign, KeyObject } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { CompactEncrypt, CompactSign, exportJWK, exportSPKI, FlattenedSign, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyJwt } from '../../../../core/credentials/tokens/jwt.ts'
import { isRefusal } from '../../../../core/credentials/verdict.ts'
import { createTokenMemory } from '../../../../stores/token-memory.ts'
import { NOON } from '../../../support/gate.ts'
import { startIssuer } from '../../../support/issuer-server.ts'
import {
  attemptAt,
  goodClaims,
  ISSUER,
  jwtParts,
  newSigner,
  reasonOf,
  type Signer,
  signText,
  signWith,
  trustedIssuer,
  verdictOf,
} from '../../../support/tokens.ts'

let ec: Signer
let rsa: Signer
let ed: Signer
let stranger: Signer

beforeAll(async () => {
  ;[ec, rsa, ed, stranger] = await Promise.all([
    newSigner('ES256', 'ec'),
    newSigner('RS256', 'rsa'),
    newSigner('EdDSA', 'ed'),
    newSigner('ES256', 'ec'),
  ])
})

const everyKey = () => [ec.jwk, rsa.jwk, ed.jwk]
const trusted = () => trustedIssuer(everyKey(), { algorithms: ['ES256', 'RS256', 'EdDSA'] })
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const hmacSigned = (secret: string | Buffer, header: object) => {
  const input = `${part(header)}.${part(goodClaims())}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

const signature = (token: string) => token.slice(token.lastIndexOf('.') + 1)
const withSignature = (token: string, bytes: Buffer) => token.replace(signature(token), bytes.toString('base64url'))

/** Each refuses a token that is forged, or that only a broken issuer would sign. */
async function expectInvalid(token: string | Promise<string>): Promise<void> {
  const verdict = await verdictOf(await token, trusted())
  expect(reasonOf(verdict)).toBe('invalid_credential')
}

it('the tokens that are attacked are good', async () => {
  for (const signer of [ec, rsa, ed]) {
    expect(reasonOf(await verdictOf(await signer.sign(goodClaims()), trusted()))).toBe('proven')
  }
})

describe('the algorithm is never the attacker’s choice', () => {
  it.each(['none', 'None', 'NONE', 'nOnE'])(
    'alg %s, with and without a signature (CVE-2015-9235, CVE-2022-23540)',
    async (alg) => {
      const unsigned = `${part({ alg, kid: 'ec' })}.${part(goodClaims())}.`
      await expectInvalid(unsigned)
      await expectInvalid(`${unsigned}${signature(await ec.sign(goodClaims()))}`)
    },
  )

  it("alg none as jose's own unsecured token", async () => {
    await expectInvalid(new UnsecuredJWT(goodClaims()).encode())
  })

  it.each([
    ['its PEM', async () => exportSPKI(rsa.publicKey)],
    ['its JWK', async () => JSON.stringify(rsa.jwk)],
    ['its modulus', async () => Buffer.from(String(rsa.jwk.n), 'base64url')],
  ])('HS256 keyed by the public RSA key, as %s (CVE-2016-10555)', async (_, secret) => {
    await expectInvalid(hmacSigned(await secret(), { alg: 'HS256', kid: 'rsa' }))
  })

  it('HS256 where the key of the issuer says no algorithm, even if a careless policy allows HS256 (CVE-2026-22817)', async () => {
    const { alg: _, ...nameless } = rsa.jwk
    const careless = trustedIssuer([nameless], { algorithms: ['RS256', 'HS256'] })
    expect(reasonOf(await verdictOf(await rsa.sign(goodClaims()), careless))).toBe('proven')
    const forged = hmacSigned(await exportSPKI(rsa.publicKey), { alg: 'HS256', kid: 'rsa' })
    expect(reasonOf(await verdictOf(forged, careless))).toBe('invalid_credential')
  })

  it.each(['PS256', 'RS384', 'RS512', 'ES384', 'EdDSA', 'HS256', ''])(
    'an RS256 token that calls itself %s',
    async (alg) => {
      const [, payload, sealed] = (await rsa.sign(goodClaims())).split('.')
      await expectInvalid(`${part({ alg, kid: 'rsa' })}.${payload}.${sealed}`)
    },
  )

  it('a PS256 token, properly signed, where the key is published for RS256', async () => {
    const both = trustedIssuer([rsa.jwk], { algorithms: ['RS256', 'PS256'] })
    const { privateKey } = rsa
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(goodClaims())))
      .setProtectedHeader({ alg: 'PS256', kid: 'rsa' })
      .sign(
        await crypto.subtle.importKey(
          'pkcs8',
          await crypto.subtle.exportKey('pkcs8', privateKey),
          { name: 'RSA-PSS', hash: 'SHA-256' },
          false,
          ['sign'],
        ),
      )
    expect(reasonOf(await verdictOf(token, both))).toBe('invalid_credential')
  })

  it.each([
    ['a list', ['ES256']],
    ['an object', { toString: 'ES256' }],
    ['a number', 256],
    ['nothing', null],
  ])('alg as %s', async (_, alg) => {
    const [, payload, sealed] = (await ec.sign(goodClaims())).split('.')
    await expectInvalid(`${part({ alg, kid: 'ec' })}.${payload}.${sealed}`)
  })
})

describe('the key is never the attacker’s choice', () => {
  const withKid = (kid: unknown) => signText(ec, JSON.stringify(goodClaims()), { kid } as Record<string, unknown>)

  it.each([
    ['a path', '../../../../dev/null'],
    ['SQL', "ec' OR '1'='1"],
    ['a prototype', '__proto__'],
    ['an address', 'http://169.254.169.254/latest/meta-data'],
    ['6,000 letters', 'k'.repeat(6000)],
  ])('kid is %s', async (_, kid) => {
    await expectInvalid(withKid(kid))
  })

  it.each([
    ['a list', ['ec']],
    ['a number', 1],
    ['an object', { kid: 'ec' }],
  ])('kid is %s', async (_, kid) => {
    const [, payload] = (await ec.sign(goodClaims())).split('.')
    const header = part({ alg: 'ES256', kid })
    await expectInvalid(`${header}.${payload}.${signature(await ec.sign(goodClaims()))}`)
  })

  it('a token without kid where the issuer has several keys is signed by one of them, or refused', async () => {
    const issuer = trustedIssuer([{ ...stranger.jwk, kid: 'k0' }, ec.jwk])
    expect(reasonOf(await verdictOf(await ec.sign(goodClaims(), { kid: undefined }), issuer))).toBe('proven')
    const other = await newSigner('ES256')
    const forged = await other.sign(goodClaims(), { kid: undefined })
    expect(reasonOf(await verdictOf(forged, issuer))).toBe('invalid_credential')
  })

  it('two keys of the same kid in one set: each verifies its own tokens and nobody else’s', async () => {
    const twins = trustedIssuer([ec.jwk, stranger.jwk])
    expect(reasonOf(await verdictOf(await ec.sign(goodClaims()), twins))).toBe('proven')
    expect(reasonOf(await verdictOf(await stranger.sign(goodClaims()), twins))).toBe('proven')
    const third = await newSigner('ES256', 'ec')
    expect(reasonOf(await verdictOf(await third.sign(goodClaims()), twins))).toBe('invalid_credential')
  })

  it('jwk, jku, x5u and x5c in the header are not read, and nobody is asked (CVE-2018-0114)', async () => {
    const attackers = await startIssuer()
    attackers.publish([stranger.jwk])
    const pem = (await exportSPKI(stranger.publicKey)).replace(/-----[^-]+-----|\n/g, '')
    for (const header of [
      { jwk: await exportJWK(stranger.publicKey) },
      { jku: attackers.url },
      { x5u: attackers.url },
      { x5c: [pem] },
    ]) {
      await expectInvalid(stranger.sign(goodClaims(), header))
    }
    expect(attackers.asked()).toBe(0)
    await attackers.close()
  })

  it('a key of another issuer of the same policy', async () => {
    const others = { ...trustedIssuer([stranger.jwk]), issuer: 'https://id.globex.example' }
    const parts = {
      ...jwtParts(trusted()),
      issuers: new Map([
        [ISSUER, trusted()],
        [others.issuer, others],
      ]),
    }
    const forged = await stranger.sign(goodClaims())
    expect(reasonOf(await verifyJwt(forged, parts, attemptAt(NOON)))).toBe('invalid_credential')
    const own = await stranger.sign(goodClaims({ iss: others.issuer }))
    expect(reasonOf(await verifyJwt(own, parts, attemptAt(NOON)))).toBe('proven')
  })
})

describe('a signature is what the key has made, and nothing else', () => {
  it.each([
    ['r = s = 0 (CVE-2022-21449, "psychic signatures")', Buffer.alloc(64)],
    ['r = 0', Buffer.concat([Buffer.alloc(32), Buffer.alloc(32, 1)])],
    ['no bytes but one', Buffer.alloc(1)],
    ['too long', Buffer.alloc(65, 1)],
    ['too short', Buffer.alloc(63, 1)],
    [
      'of the order of the curve',
      Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex'),
    ],
  ])('ECDSA: %s', async (_, bytes) => {
    await expectInvalid(withSignature(await ec.sign(goodClaims()), bytes))
  })

  it('ECDSA in DER (CVE-2020-14966)', async () => {
    const input = (await ec.sign(goodClaims())).split('.').slice(0, 2).join('.')
    const der = createSign('sha256')
      .update(input)
      .sign(KeyObject.from(ec.privateKey as never))
    await expectInvalid(`${input}.${der.toString('base64url')}`)
  })

  it('EdDSA of zeros', async () => {
    await expectInvalid(withSignature(await ed.sign(goodClaims()), Buffer.alloc(64)))
  })

  it('RSA: empty, zeros, and cut short', async () => {
    const token = await rsa.sign(goodClaims())
    await expectInvalid(withSignature(token, Buffer.alloc(256)))
    await expectInvalid(withSignature(token, Buffer.from(signature(token), 'base64url').subarray(0, 255)))
    await expectInvalid(`${token.slice(0, token.lastIndexOf('.'))}.`)
  })

  it('a payload that was changed after signing', async () => {
    const [header, , sealed] = (await ec.sign(goodClaims())).split('.')
    await expectInvalid(`${header}.${part(goodClaims({ org: 'globex' }))}.${sealed}`)
  })
})

describe('a token has one spelling and one shape', () => {
  it.each([
    ['with padding', (token: string) => `${token}=`],
    ['with + and /', (token: string) => token.replaceAll('-', '+').replaceAll('_', '/').replace(/\.(.)/, '.+$1')],
    ['with a line end', (token: string) => `${token}\n`],
    ['with a space in front', (token: string) => ` ${token}`],
    ['with a fourth part', (token: string) => `${token}.${'A'.repeat(8)}`],
    ['with a part left out', (token: string) => token.split('.').slice(0, 2).join('.')],
    ['with an empty header', (token: string) => token.replace(/^[^.]+/, '')],
    ['with a letter that only looks like one', (token: string) => token.replace('e', 'е')],
  ])('base64url %s', async (_, bend) => {
    await expectInvalid(bend(await ec.sign(goodClaims())))
  })

  it('unused bits of the signature set, which would pass a list of revoked tokens', async () => {
    const token = await ec.sign(goodClaims())
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    await expectInvalid(token.slice(0, -1) + letters.charAt(letters.indexOf(token.slice(-1)) + 1))
  })

  it('JWS in JSON serialization, flattened and general', async () => {
    const flattened = await new FlattenedSign(new TextEncoder().encode(JSON.stringify(goodClaims())))
      .setProtectedHeader({ alg: 'ES256', kid: 'ec' })
      .sign(ec.privateKey)
    await expectInvalid(JSON.stringify(flattened))
    const { payload, ...sealed } = flattened
    await expectInvalid(JSON.stringify({ payload, signatures: [sealed] }))
  })

  it('a JWE, also one that unpacks to megabytes, is not even opened (CVE-2024-28176)', async () => {
    const bomb = await new CompactEncrypt(deflateRawSync(Buffer.alloc(1_000_000)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(new Uint8Array(32))
    await expectInvalid(bomb)
  })

  it('a token in a token', async () => {
    await expectInvalid(signText(ec, await ec.sign(goodClaims()), { cty: 'JWT' }))
    await expectInvalid(signText(ec, JSON.stringify(await ec.sign(goodClaims())), { cty: 'JWT' }))
  })

  it('16 KB, refused before it is hashed or read', async () => {
    await expectInvalid(ec.sign(goodClaims({ pad: 'x'.repeat(16_384) })))
  })

  it('claims 1,000 levels deep', async () => {
    await expectInvalid(signWith(ec, 'deep', '['.repeat(1000) + ']'.repeat(1000)))
  })

  it('bytes that are not UTF-8', async () => {
    const input = `${part({ alg: 'ES256', kid: 'ec' })}.${Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]).toString('base64url')}`
    await expectInvalid(`${input}.${signature(await ec.sign(goodClaims()))}`)
  })
})

describe('a header that asks for more than we know', () => {
  it.each([
    ['crit with an unknown extension (CVE-2026-35042)', { crit: ['exp2'], exp2: 1 }],
    ['crit with b64 (RFC 7797)', { crit: ['b64'], b64: true }],
    ['crit that is empty', { crit: [] }],
    ['crit that is a text', { crit: 'exp' }],
    ['b64 false without crit', { b64: false }],
  ])('%s', async (_, header) => {
    const [, payload] = (await ec.sign(goodClaims())).split('.')
    const input = `${part({ alg: 'ES256', kid: 'ec', ...header })}.${payload}`
    const key = KeyObject.from(ec.privateKey as never)
    const sealed = createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')
    await expectInvalid(`${input}.${sealed}`)
  })
})

describe('what is remembered of one token is never another’s', () => {
  it('tokens that differ in their signature, header or any claim alone (CVE-2026-35039)', async () => {
    const parts = jwtParts(trusted(), createTokenMemory())
    const ask = async (token: string) => verifyJwt(token, parts, attemptAt(NOON))
    const acme = await ec.sign(goodClaims({ jti: 'same' }))
    const globex = await ec.sign(goodClaims({ jti: 'same', org: 'globex' }))
    expect(await ask(acme)).toMatchObject({ tenantName: 'acme' })
    expect(await ask(globex)).toMatchObject({ tenantName: 'globex' })
    expect(await ask(acme)).toMatchObject({ tenantName: 'acme' })
    const [header, payload] = acme.split('.')
    for (const forged of [`${header}.${payload}.${signature(globex)}`, withSignature(acme, Buffer.alloc(64, 1))]) {
      expect(reasonOf(await ask(forged))).toBe('invalid_credential')
      expect(reasonOf(await ask(forged))).toBe('invalid_credential')
    }
    expect(await ask(acme)).toMatchObject({ tenantName: 'acme' })
  })

  it('a refusal repeats nothing of the token', async () => {
    const token = await stranger.sign(goodClaims({ jti: 'do-not-tell' }))
    const verdict = await verdictOf(token, trusted())
    expect(isRefusal(verdict)).toBe(true)
    for (const text of [...token.split('.'), 'do-not-tell', 'acme']) expect(JSON.stringify(verdict)).not.toContain(text)
  })
})
