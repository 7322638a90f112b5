/** What tokens of an issuer that hangs cost: a bounded number of them waits, for a bounded time, and no other key set's. */
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyJwt } from '../../../../core/credentials/tokens/jwt.ts'
import { KEY_AGE } from '../../../../core/credentials/tokens/key-age.ts'
import { createKeySet, MOST_WAITING } from '../../../../core/credentials/tokens/key-set.ts'
import { NOON } from '../../../support/gate.ts'
import {
  attemptAt,
  goodClaims,
  jwtParts,
  newSigner,
  reasonOf,
  type Signer,
  trustedIssuer,
} from '../../../support/tokens.ts'

let signer: Signer
beforeAll(async () => {
  signer = await newSigner('ES256')
})

/** An issuer that answers when the test says so. */
function hanging() {
  const origin = { kind: 'url', url: 'https://id.example.com/jwks', allowPrivateAddresses: false } as const
  let answer: (document: unknown) => void = () => {}
  let slow = () => {}
  let asked = 0
  const keySet = createKeySet(origin, (_, onSlow) => {
    asked += 1
    slow = onSlow
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const parts = jwtParts(trustedIssuer([], { keys: origin, keySet }))
  return {
    asked: () => asked,
    answer: async (keys: readonly unknown[] = [signer.jwk]) => {
      answer({ keys })
      await new Promise(setImmediate)
    },
    slow: () => slow(),
    /** Waits from the same tick on, if it waits. */
    ask: async (token: string, now = NOON) => reasonOf(await verifyJwt(token, parts, attemptAt(now))),
  }
}

let serial = 0
const fresh = (kid = 'k1') => signer.sign(goodClaims({ jti: `${serial++}`, exp: NOON / 1000 + 86_400 }), { kid })

/** Whether all have ended by now, and not only once the issuer answers. */
async function areOver(asked: readonly Promise<string>[]): Promise<boolean> {
  let over = 0
  for (const one of asked)
    void one.then(() => {
      over += 1
    })
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
  return over === asked.length
}

describe('tokens of an issuer whose keys were never had', () => {
  it('wait for them up to a number; more are refused as 503 at once', async () => {
    const { ask, answer, asked } = hanging()
    const tokens = await Promise.all(Array.from({ length: MOST_WAITING }, () => fresh()))
    const waiting = tokens.map((token) => ask(token))
    expect(await areOver(waiting)).toBe(false)
    const late = await fresh()
    expect(await ask(late)).toBe('dependency_unavailable')
    await answer()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['proven']))
    expect(await ask(late)).toBe('proven')
    expect(asked()).toBe(1)
  })

  it('wait no more once it takes long, neither the first nor later ones; the answer serves whoever comes after it', async () => {
    const { ask, slow, answer, asked } = hanging()
    const tokens = [await fresh(), await fresh()] as const
    const waiting = tokens.map((token) => ask(token))
    expect(await areOver(waiting)).toBe(false)
    slow()
    expect(await Promise.all(waiting)).toEqual(['dependency_unavailable', 'dependency_unavailable'])
    expect(await ask(tokens[0])).toBe('dependency_unavailable')
    await answer()
    expect(await ask(tokens[0])).toBe('proven')
    expect(asked()).toBe(1)
  })
})

describe('tokens of an issuer that hangs later', () => {
  /** Its keys were had at noon. */
  async function hangingLater() {
    const issuer = hanging()
    const first = issuer.ask(await fresh())
    await issuer.answer()
    expect(await first).toBe('proven')
    return issuer
  }

  it('go on with the keys that are known, while those with an unknown key id are refused', async () => {
    const { ask, slow } = await hangingLater()
    const later = NOON + KEY_AGE.coolDownMs
    const [known, unknown, another] = [await fresh(), await fresh('unknown'), await fresh('unknown')]
    const waiting = ask(unknown, later)
    expect(await areOver([waiting])).toBe(false)
    expect(await ask(known, later)).toBe('proven')
    slow()
    expect(await waiting).toBe('dependency_unavailable')
    expect(await ask(another, later)).toBe('dependency_unavailable')
  })

  it('are refused after a quiet time until it is known whether a key was removed', async () => {
    const { ask, slow, answer } = await hangingLater()
    const later = NOON + KEY_AGE.waitAfterMs
    const token = await fresh()
    const waiting = ask(token, later)
    slow()
    expect(await waiting).toBe('dependency_unavailable')
    await answer([])
    expect(await ask(token, later)).toBe('invalid_credential')
  })
})
