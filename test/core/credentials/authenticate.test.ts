/** What is held against an address whose credentials fail, and what revocation refuses: the ways through all kinds of credentials. */
import { generateKeyPairSync } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { storedHash } from '../../../core/credentials/api-key.ts'
import type { FailedCredentials } from '../../../core/credentials/attempt.ts'
import { createCredentials } from '../../../core/credentials/authenticate.ts'
import { type CredentialRecords, type KeyUses, NO_KEY_USES, NO_RECORDS } from '../../../core/credentials/records.ts'
import type { SeenTokens } from '../../../core/credentials/tokens/jwt.ts'
import type { Introspect } from '../../../core/credentials/tokens/opaque-token.ts'
import { decide } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import { createFlags } from '../../../core/flags/evaluate.ts'
import type { ClientCertificate, GatewayRequest } from '../../../core/request.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { createRecordIndex } from '../../../stores/records/credential-records.ts'
import { createSeenTokens, createTokenMemory } from '../../../stores/token-memory.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const ISSUER = 'https://id.example.com'
const BURST = 3
const CERTIFICATE: ClientCertificate = { uris: ['spiffe://acme.example/batch'], dnsNames: [] }

const [own, expired, other] = [newKey(), newKey(), newKey()]
const imported = 'legacy-0123456789'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { privateKey: stranger } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const policyText = (rule: string) => `
version: 1
identity:
  sources: [apiKey, jwt, opaqueToken, clientCertificate]
  failedCredentials: ${rule}
issuers:
  - { issuer: "${ISSUER}", jwks: keys.json, audiences: [orders], algorithms: [ES256], claims: { tenant: org } }
  - issuer: https://opaque.example.com
    introspection: { url: "https://opaque.example.com/introspect", clientId: gate, clientSecret: { file: secret } }
    claims: { tenant: org }
plans: { free: { limits: [] } }
tenants:
  acme:
    plan: free
    apiKeys:
      - { id: own, hash: "${own.hash}" }
      - { id: expired, hash: "${expired.hash}", expiresAt: "2026-11-22T12:00:00Z" }
      - { id: imported, hash: "${storedHash(imported)}" }
    certificates: [{ id: batch, uri: "spiffe://acme.example/batch" }]
  globex: { plan: free, apiKeys: [{ id: other, hash: "${other.hash}" }] }
routes:
  - { name: open, match: { path: /open }, anonymous: true }
  - { name: maybe, match: { path: /maybe }, anonymous: optional }
  - { name: all, match: { path: /** } }
`

interface Gate {
  ask(headers: Readonly<Record<string, string>>, more?: Partial<GatewayRequest>, now?: number): Promise<Decision>
  /** How often the endpoint for opaque tokens was asked. */
  readonly asked: () => number
}

let files: Readonly<Record<string, string>>
beforeAll(async () => {
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }]
  files = { 'keys.json': JSON.stringify({ keys }), secret: 'not-a-secret-of-anybody' }
})

interface Opened {
  readonly rule?: string
  readonly records?: CredentialRecords
  /** Of the process: they go on from policy to policy. */
  readonly failures?: FailedCredentials
  readonly seen?: SeenTokens
  readonly uses?: KeyUses
  readonly introspect?: Introspect
}

function openGate({
  rule = `{ rate: 1/s, burst: ${BURST} }`,
  records = NO_RECORDS,
  failures = createFailedCredentials(),
  seen = createSeenTokens(),
  uses = NO_KEY_USES,
  introspect,
}: Opened = {}): Gate {
  const policy = policyOf(policyText(rule), files)
  let asked = 0
  const parts = partsOf({
    ...createTokenMemory(seen),
    failures,
    records,
    uses,
    introspect: async (endpoint, token) => {
      asked += 1
      if (introspect) return introspect(endpoint, token)
      if (token === 'opaque-and-away') return { unavailable: 'away' }
      if (token === 'opaque-and-costly') return { unavailable: 'away', isCostly: true }
      if (token === 'opaque-and-broken') throw new Error('broken')
      return { text: JSON.stringify({ active: token === 'good-opaque-token', org: 'acme', sub: 'ann' }) }
    },
  })
  const given = {
    policy,
    credentials: createCredentials(policy, parts),
    limits: createMemoryLimits(),
    flags: createFlags(policy.flags?.definition),
  }
  return {
    ask: async (headers, more = {}, now = NOON) => decide(requestOf({ headers, ...more }), { ...given, now }),
    asked: () => asked,
  }
}

function token(claims: object = {}, key = privateKey, expiresAt = NOON / 1000 + 600): Promise<string> {
  const all = { iss: ISSUER, aud: 'orders', sub: 'ann', org: 'acme', iat: NOON / 1000, exp: expiresAt, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(key)
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const apiKey = (key: string) => ({ 'x-api-key': key })
const GARBAGE = apiKey('garbage')

/** Fails as often as an address may. */
async function block({ ask }: Gate, more: Partial<GatewayRequest> = {}): Promise<void> {
  for (let i = 0; i < BURST; i++) expect((await ask(apiKey(`guess-${i}`), more)).reason).toBe('invalid_credential')
}

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

describe('an API key', () => {
  it('is noted as used by its hash when it opens something', async () => {
    const used: unknown[] = []
    const gate = openGate({ uses: { used: (hash, now) => used.push([`sha256:${hash}`, now]) } })
    expect((await gate.ask(apiKey(own.key))).reason).toBe('allowed')
    expect((await gate.ask(apiKey(expired.key))).reason).toBe('expired_credential')
    expect(used).toEqual([[own.hash, NOON]])
  })

  it('that has expired is told to logs by tenant and id', async () => {
    expect(await openGate().ask(apiKey(expired.key))).toMatchObject({ tenant: 'acme', credential: 'expired' })
  })
})

describe('what the records say is revoked', () => {
  const shown: readonly (readonly [kind: string, () => Promise<Partial<GatewayRequest>>])[] = [
    ['apiKey', async () => ({ headers: apiKey(own.key) })],
    ['jwt', async () => ({ headers: bearer(await token()) })],
    ['opaqueToken', async () => ({ headers: bearer('good-opaque-token') })],
    ['clientCertificate', async () => ({ clientCertificate: CERTIFICATE })],
  ]

  it.each(shown)('is refused: %s, also one that was verified before', async (kind, request) => {
    let isRevoked = false
    const asked: unknown[] = []
    const records: CredentialRecords = {
      ...NO_RECORDS,
      isRevoked: (principal, tenant) => {
        asked.push([principal.kind, tenant])
        return isRevoked
      },
    }
    const gate = openGate({ records })
    const { headers = {}, ...more } = await request()
    expect((await gate.ask(headers, more)).reason).toBe('allowed')
    isRevoked = true
    expect((await gate.ask(headers, more)).reason).toBe('revoked_credential')
    expect(asked).toEqual([
      [kind, 'acme'],
      [kind, 'acme'],
    ])
  })

  it.each(shown)('is told to logs by tenant and credential, and uses up nothing: %s', async (_, request) => {
    const used: string[] = []
    const records: CredentialRecords = { ...NO_RECORDS, isRevoked: () => true }
    const gate = openGate({ records, uses: { used: (hash) => used.push(hash) } })
    const { headers = {}, ...more } = await request()
    const refused = await gate.ask(headers, more)
    expect(refused).toMatchObject({ reason: 'revoked_credential', tenant: 'acme', credential: expect.any(String) })
    expect(used).toEqual([])
  })

  it('is refused beside another credential that is good', async () => {
    const records: CredentialRecords = { ...NO_RECORDS, isRevoked: ({ kind }) => kind === 'jwt' }
    const both = { ...apiKey(own.key), ...bearer(await token()) }
    expect((await openGate({ records }).ask(both)).reason).toBe('revoked_credential')
  })

  it('is a token by its own iat, also where that is a little in the future', async () => {
    const revokedBefore = (before: number) => {
      const index = createRecordIndex()
      index.add({ kind: 'revoked-subject', subject: 'ann', before })
      return openGate({ records: index.records })
    }
    const ahead = bearer(await token({ iat: NOON / 1000 + 4 }))
    expect((await revokedBefore(NOON + 4000).ask(ahead)).reason).toBe('allowed')
    expect((await revokedBefore(NOON + 4001).ask(ahead)).reason).toBe('revoked_credential')
  })

  it('is refused from the moment on at which another key has taken its place', async () => {
    const records: CredentialRecords = {
      ...NO_RECORDS,
      replacedAt: (hash) => (own.hash.endsWith(hash) ? NOON + 1000 : undefined),
    }
    const gate = openGate({ records })
    expect((await gate.ask(apiKey(own.key), {}, NOON + 999)).reason).toBe('allowed')
    expect((await gate.ask(apiKey(own.key), {}, NOON + 1000)).reason).toBe('expired_credential')
  })
})
