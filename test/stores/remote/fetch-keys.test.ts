/** A real issuer over HTTP: that is away, slow, odd, that turns its keys, and others beside it. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verifyJwt } from '../../../core/credentials/tokens/jwt.ts'
import { KEY_AGE } from '../../../core/credentials/tokens/key-age.ts'
import { createKeySet, type FetchKeys } from '../../../core/credentials/tokens/key-set.ts'
import type { Verdict } from '../../../core/credentials/verdict.ts'
import type { MaybePromise } from '../../../core/maybe-promise.ts'
import { createAsk } from '../../../stores/remote/ask.ts'
import { createFetchKeys } from '../../../stores/remote/fetch-keys.ts'
import { createTokenMemory } from '../../../stores/token-memory.ts'
import { NOON } from '../../support/gate.ts'
import { type IssuerServer, json, startIssuer } from '../../support/issuer-server.ts'
import { attemptAt, goodClaims, ISSUER, newSigner, reasonOf, type Signer, trustedIssuer } from '../../support/tokens.ts'

const SECOND = 1000
const DAY = 86_400

let first: Signer
let second: Signer
let server: IssuerServer

beforeAll(async () => {
  ;[first, second] = await Promise.all([newSigner('ES256', 'k1'), newSigner('ES256', 'k2')])
})
beforeEach(async () => {
  server = await startIssuer()
  server.publish([first.jwk])
})
afterEach(() => server.close())

/** An issuer whose keys are fetched for real, and one instance's memory of its tokens. */
function follower(url = server.url, fetchKeys: FetchKeys = createFetchKeys()) {
  const keys = { kind: 'url', url, allowPrivateAddresses: false } as const
  const issuer = trustedIssuer([], { keys, keySet: createKeySet(keys, fetchKeys) })
  const parts = { issuers: new Map([[ISSUER, issuer]]), ...createTokenMemory() }
  return {
    keySet: issuer.keySet,
    verdict: (token: string, now = NOON): MaybePromise<Verdict> => verifyJwt(token, parts, attemptAt(now)),
    ask: async (token: string, now = NOON) => reasonOf(await verifyJwt(token, parts, attemptAt(now))),
  }
}

let serial = 0
/** A token that nobody has seen, good for a week. */
const fresh = ({ sign }: Signer, header = {}) =>
  sign(goodClaims({ jti: `${serial++}`, exp: NOON / 1000 + 7 * DAY }), header)

/** Until what was begun in the background has ended. */
async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
  await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('an issuer that is away', () => {
  it('from the start: its tokens are refused as 503, nobody waits for long, and it recovers by itself', async () => {
    await server.down()
    const { verdict, ask } = follower()
    const token = await fresh(first)
    const refused = await verdict(token)
    expect(refused).toMatchObject({ denied: 'dependency_unavailable' })
    expect(refused).toMatchObject({ because: expect.stringContaining('ECONNREFUSED') })
    await server.up()
    expect(await ask(token, NOON + KEY_AGE.coolDownAfterFailureMs)).toBe('proven')
  })

  it('later: known keys work on for tokens old and new, unknown keys are refused, and it recovers', async () => {
    const { ask } = follower()
    const old = await fresh(first)
    expect(await ask(old)).toBe('proven')
    await server.down()
    const hours = NOON + 23 * 3600 * SECOND
    expect(await ask(old, hours)).toBe('proven')
    expect(await ask(await fresh(first), hours)).toBe('proven')
    expect(await ask(await fresh(second), hours)).toBe('invalid_credential')
    expect(await ask(await fresh(first), NOON + KEY_AGE.trustMs)).toBe('dependency_unavailable')
    await server.up()
    server.publish([first.jwk, second.jwk])
    const later = NOON + KEY_AGE.trustMs + KEY_AGE.coolDownAfterFailureMs
    expect(await ask(await fresh(second), later)).toBe('proven')
    expect(await ask(old, later)).toBe('proven')
  })
})

describe('an issuer that turns its keys', () => {
  it('publishes the new one before its use: not one token of 200 is refused', async () => {
    const { ask } = follower()
    const tokens = await Promise.all(Array.from({ length: 200 }, (_, i) => fresh(i < 100 ? first : second)))
    const reasons = new Set<string>()
    for (const [i, token] of tokens.entries()) {
      const now = NOON + i * SECOND
      if (i === 60) server.publish([first.jwk, second.jwk])
      if (i === 150) server.publish([second.jwk])
      reasons.add(await ask(token, now))
    }
    expect([...reasons]).toEqual(['proven'])
  })

  it('uses the new one at once: its first token has the keys fetched again, and waits for them', async () => {
    const { ask } = follower()
    expect(await ask(await fresh(first))).toBe('proven')
    server.publish([second.jwk])
    const now = NOON + KEY_AGE.coolDownMs
    expect(await ask(await fresh(second), now)).toBe('proven')
    expect(await ask(await fresh(first), now)).toBe('invalid_credential')
  })

  it('removes one: tokens of it are refused within ten minutes of use, also those that were good before', async () => {
    const { ask } = follower()
    const token = await fresh(first)
    await ask(token)
    server.publish([second.jwk])
    const asked = server.asked()
    expect(await ask(token, NOON + KEY_AGE.refreshAfterMs)).toBe('proven')
    await settled(() => server.asked() > asked)
    expect(await ask(token, NOON + KEY_AGE.refreshAfterMs + 1)).toBe('invalid_credential')
  })

  it('removes one while nobody calls: the first token after a quiet time waits for the new keys', async () => {
    const { ask, keySet } = follower()
    const token = await fresh(first)
    await ask(token)
    server.publish([second.jwk])
    expect(keySet.isTrusted(NOON + KEY_AGE.waitAfterMs - 1)).toBe(true)
    expect(await ask(token, NOON + KEY_AGE.waitAfterMs)).toBe('invalid_credential')
    expect(await ask(await fresh(first), NOON + KEY_AGE.waitAfterMs)).toBe('invalid_credential')
  })

  it('after a quiet time, if it is away then, the old keys serve, and only the first token has waited', async () => {
    const { ask, verdict } = follower()
    const token = await fresh(first)
    await ask(token)
    await server.down()
    const later = NOON + KEY_AGE.waitAfterMs
    expect(await ask(token, later)).toBe('proven')
    expect(verdict(token, later + SECOND)).toMatchObject({ user: 'ann' })
  })
})

describe('tokens of keys that the issuer does not have', () => {
  it('a storm of 1,000, all different, causes one fetch in each cool-down', async () => {
    const { ask } = follower()
    const known = await fresh(first)
    expect(await ask(known)).toBe('proven')
    expect(server.asked()).toBe(1)
    const storm = await Promise.all(Array.from({ length: 1000 }, (_, i) => fresh(second, { kid: `unknown-${i}` })))
    const refused = async (now: number) => new Set(await Promise.all(storm.map((token) => ask(token, now))))
    expect(await refused(NOON + 1)).toEqual(new Set(['invalid_credential']))
    expect(server.asked()).toBe(1)
    // those for whom there is no place to wait are not told that their key is unknown: it may be in what is fetched
    expect(await refused(NOON + KEY_AGE.coolDownMs)).toEqual(new Set(['invalid_credential', 'dependency_unavailable']))
    expect(server.asked()).toBe(2)
    expect(await refused(NOON + 2 * KEY_AGE.coolDownMs - 1)).toEqual(new Set(['invalid_credential']))
    expect(server.asked()).toBe(2)
    expect(await ask(known, NOON + KEY_AGE.coolDownMs)).toBe('proven')
  })

  it('a storm while the issuer hangs: known keys are not held up by it', async () => {
    const { ask } = follower()
    expect(await ask(await fresh(first))).toBe('proven')
    server.answer(() => {})
    const now = NOON + KEY_AGE.coolDownMs
    const asked = server.asked()
    const unknown = Promise.all([ask(await fresh(second), now), ask(await fresh(second), now)])
    await settled(() => server.asked() > asked)
    expect(await ask(await fresh(first), now)).toBe('proven')
    expect(server.asked()).toBe(asked + 1)
    await server.close()
    expect(await unknown).toEqual(['invalid_credential', 'invalid_credential'])
    await server.up()
  })
})

describe('what is no key set changes nothing', () => {
  const odd: [string, (server: IssuerServer) => void, string][] = [
    ['a page', (at) => at.answer(json('<!doctype html><title>Sign in</title>')), 'not JSON'],
    ['a redirect', (at) => at.answer((response) => response.writeHead(302, { location: '/elsewhere' }).end()), '302'],
    ['an error', (at) => at.answer(json({ keys: [] }, 500)), '500'],
    ['half an answer', (at) => at.answer(json('{"keys":[{"kty"')), 'not JSON'],
    [
      'more than 512 kB',
      (at) => at.answer(json(JSON.stringify({ keys: [], pad: 'x'.repeat(600_000) }))),
      '524288 bytes',
    ],
    ['a list', (at) => at.answer(json([])), 'no JWKS'],
    ['101 keys', (at) => at.publish(Array(101).fill(second.jwk)), 'more than 100 keys'],
    ['a broken line', (at) => at.answer((response) => response.socket?.destroy()), 'ECONNRESET'],
  ]

  it.each(odd)('%s', async (_, answer, because) => {
    const { ask } = follower()
    expect(await ask(await fresh(first))).toBe('proven')
    answer(server)
    const later = NOON + KEY_AGE.waitAfterMs
    expect(await ask(await fresh(first), later)).toBe('proven')
    expect(await ask(await fresh(second), later)).toBe('invalid_credential')

    const verdict = await follower().verdict(await fresh(first))
    expect(verdict).toMatchObject({ denied: 'dependency_unavailable', because: expect.stringContaining(because) })
  })

  it('an issuer of which the name points to the inside is not asked', async () => {
    for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '::ffff:10.0.0.1', 'fd00::1']) {
      const family = address.includes(':') ? 6 : 4
      const inside = createFetchKeys(createAsk({ lookup: (_, __, done) => done(null, [{ address, family }]) }))
      const url = server.url.replace('127.0.0.1', 'id.evil.example')
      const verdict = await follower(url, inside).verdict(await fresh(first))
      expect(verdict).toMatchObject({
        denied: 'dependency_unavailable',
        because: expect.stringContaining('no address'),
      })
    }
    expect(server.asked()).toBe(0)
  })
})

describe('several issuers', () => {
  it('one that hangs holds up its own tokens only', async () => {
    const hanging = await startIssuer()
    hanging.answer(() => {})
    const name = 'https://id.globex.example'
    const fetchKeys = createFetchKeys()
    const issuers = new Map(
      [
        { issuer: ISSUER, url: server.url },
        { issuer: name, url: hanging.url },
      ].map(({ issuer, url }) => {
        const keys = { kind: 'url', url, allowPrivateAddresses: false } as const
        return [issuer, trustedIssuer([], { issuer, keys, keySet: createKeySet(keys, fetchKeys) })]
      }),
    )
    const parts = { issuers, ...createTokenMemory() }
    const ask = async (token: string) => reasonOf(await verifyJwt(token, parts, attemptAt(NOON)))
    const waiting = Promise.all(
      await Promise.all(Array.from({ length: 50 }, (_, i) => second.sign(goodClaims({ iss: name, jti: `${i}` })))).then(
        (tokens) => tokens.map(ask),
      ),
    )
    await settled(() => hanging.asked() > 0)
    for (let i = 0; i < 50; i++) expect(await ask(await fresh(first))).toBe('proven')
    expect(hanging.asked()).toBe(1)
    await hanging.close()
    expect(new Set(await waiting)).toEqual(new Set(['dependency_unavailable']))
  })
})

it('an issuer that hangs is not waited for until its fetch has timed out', async () => {
  server.answer(() => {})
  const { verdict } = follower()
  // the connection stays as it is: only the waiting ends
  expect(await verdict(await fresh(first))).toMatchObject({ because: expect.stringContaining('takes too long') })
})
