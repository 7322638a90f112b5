/** A gate explains what it would decide, by all that it knows, and asking leaves no trace in it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../cli/service/gate.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { createKeyUses } from '../../../stores/key-uses.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { createMemoryLedger } from '../../../stores/records/memory-ledger.ts'
import { createThrottle } from '../../../stores/throttle.ts'
import { createAudit } from '../../../telemetry/audit.ts'
import { createLog } from '../../../telemetry/log.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const acme = newKey()
const secret = randomBytes(32).toString('hex')
const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const ISSUER = 'https://id.example'

const policyWith = (quota: number) =>
  policyOf(
    `
version: 1
identity: { failedCredentials: { rate: 1/m, burst: 2 }, token: { issuer: "https://gw.test", audience: backends } }
issuers: [{ issuer: "${ISSUER}", secret: { file: secret }, audiences: [a], algorithms: [HS256], claims: { tenant: org } }]
plans: { pro: { limits: [{ name: daily, quota: ${quota}/day }, { name: slow, rate: 1/s, burst: 1, delay: 5s }] } }
tenants: { acme: { plan: pro, apiKeys: [{ id: ci, hash: "${acme.hash}" }] } }
routes: [{ name: all, match: { path: /** } }]
`,
    { secret },
  )

function gate() {
  const lines: string[] = []
  const sink = { write: (line: string) => void lines.push(line), lost: 0, reopen() {}, close: async () => {} }
  const [metrics, uses, ledger] = [createMetrics(() => NOON), createKeyUses(), createMemoryLedger()]
  const limits = createMemoryLimits()
  const made = createGate(policyWith(10), {
    limits,
    throttle: createThrottle({ now: () => NOON, elapsed: () => 0, onDelayed: () => void lines.push('delayed') }),
    credentials: partsOf({ failures: createFailedCredentials(), uses, records: ledger.records }),
    switches: ledger.switches,
    metrics,
    log: createLog('debug', { write: (line: string) => void lines.push(line) }),
    audit: createAudit(sink, () => NOON),
    usage: { count: (use) => void lines.push(`used by ${use.credential}`) },
    signingKey: () => signingKey,
    now: () => NOON,
    elapsed: () => 0,
  })
  return { gate: made, lines, metrics, uses, ledger }
}

const withKey = (key: string) => requestOf({ headers: { 'x-api-key': key } })

describe('what a gate explains', () => {
  it('is what it would decide, with what is left; it takes nothing, and tells nobody', async () => {
    const { gate: asked, lines, metrics, uses } = gate()
    const counts = async () =>
      (await metrics.scrape()).text.split('\n').filter((line) => line.startsWith('tenantgate_'))
    const before = await counts()
    for (let i = 0; i < 20; i++) {
      expect(await asked.explain(withKey(acme.key))).toMatchObject({
        decision: 'allow',
        status: 200,
        tenant: 'acme',
        limits: 'live: as they stand now',
        toBackend: { 'x-tenant-id': 'acme', 'x-tenantgate-identity': '(a signed token)' },
        toClient: { 'ratelimit-policy': expect.stringContaining('"daily";q=10') },
        stages: expect.arrayContaining([
          { stage: 'limits', found: expect.stringMatching(/^daily 9 of 10 left, slow 0 of 1 left/) },
        ]),
      })
    }
    expect(lines).toEqual([])
    expect(await counts()).toEqual(before)
    expect(uses.lastUsed([acme.hash.slice('sha256:'.length)])).toEqual([undefined])
  })

  it('says how long a request would wait, and keeps nobody waiting for it', async () => {
    const { gate: asked } = gate()
    await asked.decide(withKey(acme.key))
    const { stages } = await asked.explain(withKey(acme.key))
    expect(stages.find(({ stage }) => stage === 'limits')?.found).toContain('would wait 1000 ms')
  })

  it('is a denial when the quota is used up, by the policy that is live now', async () => {
    const { gate: asked } = gate()
    asked.replace(policyWith(0))
    expect(await asked.explain(withKey(acme.key))).toMatchObject({ status: 429, reason: 'quota_exceeded' })
    asked.replace(policyWith(5))
    expect(await asked.explain(withKey(acme.key))).toMatchObject({ status: 200 })
  })

  it('holds no bad credential against an address, and knows which address is blocked', async () => {
    const { gate: asked } = gate()
    const bad = withKey('nobody')
    for (let i = 0; i < 10; i++) expect(await asked.explain(bad)).toMatchObject({ reason: 'invalid_credential' })
    for (let i = 0; i < 2; i++) expect(await asked.decide(bad)).toMatchObject({ reason: 'invalid_credential' })
    expect(await asked.explain(bad)).toMatchObject({ reason: 'too_many_failures', status: 429 })
  })

  it('knows what is revoked', async () => {
    const { gate: asked, ledger } = gate()
    await ledger.add(() => [{ kind: 'revoked-credential', tenant: 'acme', id: 'ci' }])
    expect(await asked.explain(withKey(acme.key))).toMatchObject({ reason: 'revoked_credential' })
  })

  it('of a token makes it no token that was seen: the address is blocked for it as before', async () => {
    const { gate: asked } = gate()
    const token = await new SignJWT({ org: 'acme', sub: 'u1' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setAudience('a')
      .setIssuedAt(NOON / 1000)
      .setExpirationTime(NOON / 1000 + 3600)
      .sign(Buffer.from(secret))
    const request = requestOf({ headers: { authorization: `Bearer ${token}` } })
    const told = await asked.explain(request)
    expect([told, JSON.stringify(told).includes(token)]).toMatchObject([{ decision: 'allow', user: 'u1' }, false])
    for (let i = 0; i < 2; i++) await asked.decide(withKey('nobody'))
    expect(await asked.decide(request)).toMatchObject({ reason: 'too_many_failures' })
  })
})
