/** What is remembered of tokens that were refused: it saves work, changes no verdict, and takes no good token's place. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type TrustedIssuer, verifyJwt } from '../../../../core/credentials/tokens/jwt.ts'
import { KEY_AGE } from '../../../../core/credentials/tokens/key-age.ts'
import { createKeySet, type KeySet } from '../../../../core/credentials/tokens/key-set.ts'
import { REFUSED_FOR_MS } from '../../../../core/credentials/tokens/refused-tokens.ts'
import { isRefusal, type Refusal } from '../../../../core/credentials/verdict.ts'
import { createTokenMemory } from '../../../../stores/token-memory.ts'
import { NOON } from '../../../support/gate.ts'
import { attemptAt, goodClaims, newSigner, reasonOf, type Signer, trustedIssuer } from '../../../support/tokens.ts'

let key: Signer
let stranger: Signer

beforeAll(async () => {
  ;[key, stranger] = await Promise.all([newSigner('ES256'), newSigner('ES256')])
})

/** An issuer that counts how often its keys are asked for: once for each signature that is looked at. */
function counted(more: Partial<TrustedIssuer> = {}) {
  const trusted = trustedIssuer([key.jwk], more)
  let looks = 0
  const keySet: KeySet = {
    get generation() {
      return trusted.keySet.generation
    },
    isTrusted: (now) => trusted.keySet.isTrusted(now),
    refreshWhenOld: (now) => trusted.keySet.refreshWhenOld(now),
    keysFor(header, now) {
      looks += 1
      return trusted.keySet.keysFor(header, now)
    },
  }
  const memory = createTokenMemory()
  const parts = { issuers: new Map([[trusted.issuer, { ...trusted, keySet }]]), ...memory }
  return {
    looks: () => looks,
    memory,
    verdict: (token: string, now = NOON) => verifyJwt(token, parts, attemptAt(now)),
    ask: async (token: string, now = NOON) => reasonOf(await verifyJwt(token, parts, attemptAt(now))),
    blocked: (token: string) => verifyJwt(token, parts, { ...attemptAt(NOON), blocked: () => BLOCKED }),
  }
}

const BLOCKED: Refusal = { denied: 'too_many_failures', because: 'in this test' }

describe('a token that was refused', () => {
  it.each<[string, () => Promise<string>, string]>([
    ['for its signature', () => stranger.sign(goodClaims()), 'invalid_credential'],
    ['for its audience', () => key.sign(goodClaims({ aud: 'other' })), 'invalid_credential'],
    ['for a claim', () => key.sign(goodClaims({ org: 7 })), 'invalid_credential'],
    ['because it has ended', () => key.sign(goodClaims({ exp: NOON / 1000 - 60 })), 'expired_credential'],
  ])('%s is refused again in the same tick and without a signature, for a minute', async (_, make, reason) => {
    const { verdict, ask, looks } = counted()
    const token = await make()
    expect(await ask(token)).toBe(reason)
    expect(looks()).toBe(1)
    expect(verdict(token, NOON + REFUSED_FOR_MS - 1)).toMatchObject({ denied: reason })
    expect(looks()).toBe(1)
    expect(await ask(token, NOON + REFUSED_FOR_MS)).toBe(reason)
    expect(looks()).toBe(2)
  })

  it.each<[string, (token: string) => string]>([
    ['of no shape', () => 'garbage'],
    [
      'of an issuer that nobody knows',
      (token) => token.replace(/\.[^.]+\./, `.${Buffer.from('{"iss":"x"}').toString('base64url')}.`),
    ],
    [
      'of an algorithm that is not allowed',
      (token) => token.replace(/^[^.]+/, Buffer.from('{"alg":"RS256"}').toString('base64url')),
    ],
  ])('%s costs no promise, at first sight either', async (_, bend) => {
    const { verdict, looks } = counted()
    expect(verdict(bend(await key.sign(goodClaims())))).toMatchObject({ denied: 'invalid_credential' })
    expect(looks()).toBe(0)
  })

  it.each([
    ['not valid yet', { nbf: NOON / 1000 + 6 }],
    ['issued in the future', { iat: NOON / 1000 + 6 }],
  ])('as %s is good as soon as its time has come', async (_, more) => {
    const { ask } = counted()
    const token = await key.sign(goodClaims(more))
    expect(await ask(token)).toBe('invalid_credential')
    expect(await ask(token, NOON + 1000)).toBe('proven')
  })

  it('while the clock was ahead is good again once it is right', async () => {
    const { ask } = counted()
    const token = await key.sign(goodClaims())
    expect(await ask(token, NOON + 3_600_000)).toBe('expired_credential')
    expect(await ask(token)).toBe('proven')
  })

  it('while its address is blocked is told no more than that', async () => {
    const { ask, blocked } = counted()
    const [bad, good, unseen] = [
      await stranger.sign(goodClaims()),
      await key.sign(goodClaims()),
      await key.sign(goodClaims({ jti: '1' })),
    ]
    await ask(bad)
    await ask(good)
    expect(blocked(bad)).toBe(BLOCKED)
    expect(blocked(unseen)).toBe(BLOCKED)
    expect(blocked('garbage')).toBe(BLOCKED)
    expect(blocked('x'.repeat(9000))).toBe(BLOCKED)
    expect(blocked(good)).toMatchObject({ user: 'ann' })
  })

  it('under old keys of the issuer is asked about again under new ones', async () => {
    const published = [{ ...stranger.jwk }]
    const origin = { kind: 'url', url: 'https://id.example.com/jwks', allowPrivateAddresses: false } as const
    const keySet = createKeySet(origin, async () => ({ keys: [...published] }))
    const { ask } = counted({ keys: origin, keySet })
    const token = await key.sign(goodClaims({ exp: NOON / 1000 + 3600 }))
    expect(await ask(token)).toBe('invalid_credential')
    published[0] = { ...key.jwk }
    const later = NOON + KEY_AGE.coolDownMs
    expect(await ask(await key.sign(goodClaims(), { kid: 'k2' }), later)).toBe('invalid_credential')
    expect(await ask(token, later)).toBe('proven')
  })

  it('with a key id that is not known is asked about again: the key may come at any time', async () => {
    const published: unknown[] = []
    const origin = { kind: 'url', url: 'https://id.example.com/jwks', allowPrivateAddresses: false } as const
    const { ask } = counted({ keys: origin, keySet: createKeySet(origin, async () => ({ keys: [...published] })) })
    const token = await key.sign(goodClaims())
    expect(await ask(token)).toBe('invalid_credential')
    published.push(key.jwk)
    expect(await ask(token, NOON + KEY_AGE.coolDownMs)).toBe('proven')
  })
})

describe('a flood of bad tokens', () => {
  it('evicts no good one, and is remembered up to a bound', async () => {
    const { ask, verdict, memory } = counted()
    const good = await key.sign(goodClaims())
    expect(await ask(good)).toBe('proven')
    for (let i = 0; i < 30_000; i++) expect(reasonOf(await verdict(`garbage-${i}`))).toBe('invalid_credential')
    expect(isRefusal(await verdict(good))).toBe(false)
    expect(verdict(good)).toMatchObject({ user: 'ann' })
    expect((memory.refused as unknown as { size: number }).size).toBe(10_000)
  })
})
