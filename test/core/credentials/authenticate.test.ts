/** What is held against an address whose credentials fail, whatever kind they are of. */
import { beforeAll, describe, expect, it } from 'vitest'
import { NO_RECORDS } from '../../../core/credentials/records.ts'
import type { Decision } from '../../../core/decision.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { createSeenTokens } from '../../../stores/token-memory.ts'
import { NOON, newKey } from '../../support/gate.ts'
import {
  apiKey,
  BURST,
  bearer,
  block,
  CERTIFICATE,
  expired,
  GARBAGE,
  type Gate,
  imported,
  openGate,
  other,
  own,
  privateKey,
  stranger,
  token,
} from './strict-gate.ts'

describe('an address that has failed too often', () => {
  let gate: Gate
  let seen: string
  beforeAll(async () => {
    gate = openGate()
    seen = await token()
    expect((await gate.ask(bearer(seen))).reason).toBe('allowed')
    expect((await gate.ask(bearer('good-opaque-token'))).reason).toBe('allowed')
    await block(gate)
  })

  it.each<[string, () => Promise<Decision>]>([
    ['a key of ours', () => gate.ask(apiKey(own.key))],
    ['a key of ours as a Bearer credential', () => gate.ask(bearer(own.key))],
    ['a token that was verified before', () => gate.ask(bearer(seen))],
    ['an opaque token that was asked about before', () => gate.ask(bearer('good-opaque-token'))],
    ['a client certificate', () => gate.ask({}, { clientCertificate: CERTIFICATE })],
    ['a request of nobody on an anonymous route', () => gate.ask(GARBAGE, { path: '/open' })],
    ['a request that shows nothing, where that is allowed', () => gate.ask({}, { path: '/maybe' })],
  ])('lets %s go on', async (_, ask) => {
    expect((await ask()).reason).toBe('allowed')
  })

  it.each<[string, () => Promise<Decision>]>([
    ['an imported key, even the right one', () => gate.ask(apiKey(imported))],
    ['a key of ours that nobody has', () => gate.ask(apiKey(newKey().key))],
    ['a key of ours with a typing error', () => gate.ask(apiKey(`${own.key.slice(0, -1)}~`))],
    ['garbage for a key', () => gate.ask(GARBAGE)],
    ['a key longer than any', () => gate.ask(apiKey('x'.repeat(1000)))],
    ['a token that was not seen before, even a good one', async () => gate.ask(bearer(await token({ jti: 'new' })))],
    ['a token longer than any', () => gate.ask(bearer('x'.repeat(9000)))],
    ['garbage for a token', () => gate.ask(bearer('a.b.c'))],
    ['an opaque token that was not asked about before', () => gate.ask(bearer('another-opaque-token'))],
    ['a bad credential on a route that needs none', () => gate.ask(GARBAGE, { path: '/maybe' })],
  ])('refuses %s unread, and says when it may try again', async (_, ask) => {
    const asked = gate.asked()
    expect(await ask()).toMatchObject({ reason: 'too_many_failures', retryAfterMs: 1000 })
    expect(gate.asked()).toBe(asked)
  })

  it('is told of what has expired as ever', async () => {
    expect((await gate.ask(apiKey(expired.key))).reason).toBe('expired_credential')
  })

  it('lets tokens that were good under the policy before go on, by what a new policy says of them', async () => {
    const process = { failures: createFailedCredentials(), seen: createSeenTokens() }
    const [kept, late] = [await token(), await token({ jti: 'new' })]
    const before = openGate(process)
    expect((await before.ask(bearer(kept))).reason).toBe('allowed')
    expect((await before.ask(bearer('good-opaque-token'))).reason).toBe('allowed')
    await block(before)
    const after = openGate(process)
    expect((await after.ask(bearer(kept))).reason).toBe('allowed')
    expect((await after.ask(bearer('good-opaque-token'))).reason).toBe('allowed')
    expect((await after.ask(bearer(late))).reason).toBe('too_many_failures')
    expect((await after.ask(bearer(kept), {}, NOON + 3_600_000)).reason).toBe('expired_credential')
  })

  it('is not one whose tokens were good and are no more: whoever signs out and goes on is no guesser', async () => {
    let isActive = true
    const signedOut = openGate({
      introspect: async () => ({ text: JSON.stringify({ active: isActive, org: 'acme' }) }),
    })
    expect((await signedOut.ask(bearer('opaque-and-good'))).reason).toBe('allowed')
    isActive = false
    for (let i = 0; i < 3 * BURST; i++) {
      expect((await signedOut.ask(bearer('opaque-and-good'), {}, NOON + 60_000)).reason).toBe('invalid_credential')
    }
    expect((await signedOut.ask(GARBAGE, {}, NOON + 60_000)).reason).toBe('invalid_credential')
  })

  it('does not keep its neighbours out', async () => {
    expect((await gate.ask(apiKey(imported), { clientAddress: '192.0.2.8' })).reason).toBe('allowed')
  })
})

describe('what counts as a failure', () => {
  const blockedAfter = async (gate: Gate, ask: () => Promise<Decision>) => {
    for (let i = 0; i < 3 * BURST; i++) await ask()
    return (await gate.ask(GARBAGE)).reason === 'too_many_failures'
  }

  it.each<[string, (gate: Gate) => Promise<Decision>]>([
    ['a key that nobody has', (gate) => gate.ask(apiKey(newKey().key))],
    ['a token with a signature of somebody else', async (gate) => gate.ask(bearer(await token({}, stranger)))],
    ['the same bad token again and again', async (gate) => gate.ask(bearer('a.b.c'))],
    ['an opaque token that is not active', (gate) => gate.ask(bearer('inactive-opaque-token'))],
    ['an opaque token that keeps its endpoint busy', (gate) => gate.ask(bearer('opaque-and-costly'))],
  ])('%s does', async (_, ask) => {
    const gate = openGate()
    expect(await blockedAfter(gate, () => ask(gate))).toBe(true)
  })

  it.each<[string, (gate: Gate) => Promise<Decision>]>([
    ['an expired key', (gate) => gate.ask(apiKey(expired.key))],
    ['an expired token', async (gate) => gate.ask(bearer(await token({}, privateKey, NOON / 1000 - 60)))],
    ['no credential at all', (gate) => gate.ask({})],
    ['an endpoint that is away', (gate) => gate.ask(bearer('opaque-and-away'))],
    ['a good one', (gate) => gate.ask(apiKey(own.key))],
    ['a bad one that nobody looks at', (gate) => gate.ask(GARBAGE, { path: '/open' })],
  ])('%s does not', async (_, ask) => {
    const gate = openGate()
    expect(await blockedAfter(gate, () => ask(gate))).toBe(false)
  })

  it('a tenant conflict does not: both credentials were genuine', async () => {
    const gate = openGate()
    const both = { ...apiKey(other.key), ...bearer(await token()) }
    expect((await gate.ask(both)).reason).toBe('tenant_conflict')
    expect(await blockedAfter(gate, () => gate.ask(both))).toBe(false)
  })
})

describe('the limit of failures', () => {
  it('gives room for another guess as time goes by', async () => {
    const gate = openGate()
    await block(gate)
    expect((await gate.ask(GARBAGE, {}, NOON + 999)).reason).toBe('too_many_failures')
    expect((await gate.ask(GARBAGE, {}, NOON + 1000)).reason).toBe('invalid_credential')
    expect((await gate.ask(GARBAGE, {}, NOON + 1000)).reason).toBe('too_many_failures')
  })

  it('counts an IPv6 client by its /64, whose addresses it has all to itself', async () => {
    const gate = openGate()
    for (let i = 0; i < BURST; i++) await gate.ask(GARBAGE, { clientAddress: `2001:db8:0:1::${i + 1}` })
    expect((await gate.ask(GARBAGE, { clientAddress: '2001:db8:0:1:a:b:c:d' })).reason).toBe('too_many_failures')
    expect((await gate.ask(GARBAGE, { clientAddress: '2001:db8:0:2::1' })).reason).toBe('invalid_credential')
  })

  it('is asked of nobody where the policy says off', async () => {
    const gate = openGate({ rule: 'off' })
    for (let i = 0; i < 200; i++) expect((await gate.ask(GARBAGE)).reason).toBe('invalid_credential')
  })

  it('is asked of nobody where the gateway knows no address: all clients would be one', async () => {
    const gate = openGate()
    for (let i = 0; i < 3 * BURST; i++) {
      expect((await gate.ask(GARBAGE, { clientAddress: '' })).reason).toBe('invalid_credential')
    }
  })
})

describe('as many dear attempts of an address are under way as may fail', () => {
  const reasonsOf = async (gate: Gate, tokens: readonly string[], more: Partial<GatewayRequest> = {}) => {
    const decisions = await Promise.all(tokens.map((each) => gate.ask(bearer(each), more)))
    const reasons = decisions.map(({ reason }) => reason)
    return (wanted: string) => reasons.filter((reason) => reason === wanted).length
  }
  const different = (how: (jti: string) => Promise<string>) =>
    Promise.all(Array.from({ length: 10 }, (_, i) => how(`t${i}`)))

  it.each<[string, (jti: string) => Promise<string>]>([
    ['tokens with a wrong signature', (jti) => token({ jti }, stranger)],
    ['opaque tokens that nobody knows', async (jti) => `unknown-${jti}`],
  ])('%s, all at once: no more than the burst is looked at', async (_, make) => {
    const gate = openGate()
    const count = await reasonsOf(gate, await different(make))
    expect([count('invalid_credential'), count('too_many_failures')]).toEqual([BURST, 10 - BURST])
    expect(gate.asked()).toBeLessThanOrEqual(BURST)
  })

  it('good ones have their room back when they end, and use up nothing', async () => {
    const gate = openGate()
    const tokens = await different((jti) => token({ jti }))
    expect((await reasonsOf(gate, tokens))('allowed')).toBe(BURST)
    for (const each of tokens) expect((await gate.ask(bearer(each))).reason).toBe('allowed')
  })

  it('the same good token any number of times at once is one', async () => {
    const gate = openGate()
    const one = await token()
    expect((await reasonsOf(gate, Array(100).fill(one)))('allowed')).toBe(100)
    expect((await reasonsOf(gate, Array(100).fill('good-opaque-token')))('allowed')).toBe(100)
    expect(gate.asked()).toBe(1)
  })

  it.each<[string, () => Promise<string>, string]>([
    ['has ended', () => token({}, privateKey, NOON / 1000 - 60), 'expired_credential'],
    ['cannot be asked about', async () => 'opaque-and-away', 'dependency_unavailable'],
  ])('what %s gives its room back', async (_, make, reason) => {
    const gate = openGate()
    for (let i = 0; i < 3 * BURST; i++) expect((await gate.ask(bearer(await make()))).reason).toBe(reason)
  })

  it('what was revoked gives its room back', async () => {
    const gate = openGate({ records: { ...NO_RECORDS, isRevoked: () => true } })
    for (const each of await different((jti) => token({ jti }))) {
      expect((await gate.ask(bearer(each))).reason).toBe('revoked_credential')
    }
  })

  it('what breaks us gives its room back', async () => {
    const gate = openGate()
    for (let i = 0; i < 3 * BURST; i++) await expect(gate.ask(bearer('opaque-and-broken'))).rejects.toThrow('broken')
    expect((await gate.ask(bearer(await token()))).reason).toBe('allowed')
  })

  it('other addresses have their own', async () => {
    const gate = openGate()
    const [first, second] = [await different((jti) => token({ jti })), await different((jti) => token({ jti, n: 2 }))]
    const counts = await Promise.all([reasonsOf(gate, first), reasonsOf(gate, second, { clientAddress: '192.0.2.8' })])
    expect(counts.map((count) => count('allowed'))).toEqual([BURST, BURST])
  })
})
