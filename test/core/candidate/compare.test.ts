/** Two decisions of one request: what a client, a backend or an operator would notice is a difference, and nothing else. */
import { describe, expect, it } from 'vitest'
import { DIFFERENCE_KINDS, type DifferenceKind, differencesOf } from '../../../core/candidate/compare.ts'
import type { Allow, Decision, Deny } from '../../../core/decision.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { gateOf, newKey, policyOf, requestOf } from '../../support/gate.ts'

const key = newKey()

interface Rules {
  readonly identity?: string
  readonly tenant?: string
  readonly route?: string
  readonly upstream?: string
  readonly more?: string
  readonly flags?: string
}

const DEFAULT = 'sources: [apiKey, host]'
const flagsFile = (variant: string) =>
  JSON.stringify({
    flags: { back: { state: 'ENABLED', variants: { on: 'other', beta: 'other' }, defaultVariant: variant } },
  })

function decided(rules: Rules = {}, request: Partial<GatewayRequest> = {}): Decision {
  const { identity = DEFAULT, tenant = 'acme', route = 'orders', upstream = 'default: stable', more = '' } = rules
  const policy = policyOf(
    `
version: 1
identity: { ${identity} }
plans: { pro: { limits: [] } }
tenants: { ${tenant}: { plan: pro, consumer: c-${tenant}, attributes: { tier: gold }, apiKeys: [{ id: ci, hash: "${key.hash}", scopes: [read] }] ${more} } }
upstreams: [stable, other]
routes: [{ name: ${route}, match: { path: /** }, require: { scopes: [read] }, upstream: { ${upstream} } }]
flags: flags.json
`,
    { 'flags.json': rules.flags ?? flagsFile('on') },
  )
  return gateOf(policy).ask({ headers: { 'x-api-key': key.key }, ...request }) as Decision
}

const FLAG = 'default: stable, flag: back'

describe('two decisions of one request', () => {
  it('by the same policy, read twice, do not differ', () => {
    expect(differencesOf(decided(), decided())).toEqual([])
    expect(differencesOf(decided({}, { headers: {} }), decided({}, { headers: {} }))).toEqual([])
  })

  it.each<[DifferenceKind, Rules, Rules, string, string]>([
    ['route', {}, { route: 'bills' }, 'orders', 'bills'],
    ['upstream', {}, { upstream: 'default: other' }, 'stable', 'other'],
    ['variant', { upstream: FLAG }, { upstream: FLAG, flags: flagsFile('beta') }, 'on', 'beta'],
    ['headers', {}, { identity: `${DEFAULT}, headers: { x-tenant-tier: attribute:tier }` }, '', 'x-tenant-tier'],
    ['headers', {}, { identity: `${DEFAULT}, removeCredentials: true` }, '', 'x-api-key removed'],
  ])('differ by %s alone', (kind, a, b, live, candidate) => {
    expect(differencesOf(decided(a), decided(b))).toEqual([{ kind, live, candidate }])
    expect(differencesOf(decided(b), decided(a))).toEqual([{ kind, live: candidate, candidate: live }])
  })

  it('of two tenants differ by the tenant and by what else names it', () => {
    expect(differencesOf(decided(), decided({ tenant: 'globex' }))).toEqual([
      { kind: 'tenant', live: 'acme', candidate: 'globex' },
      { kind: 'headers', live: 'consumer', candidate: 'consumer' },
    ])
  })

  it('of which one lets in differ by that, and not by what the other came not to learn', () => {
    const refused = decided({ identity: 'sources: [host], host: { suffix: .test }' })
    expect(refused.decision).toBe('deny')
    expect(differencesOf(decided(), refused)).toEqual([{ kind: 'decision', live: 'allow', candidate: 'deny' }])
    expect(differencesOf(refused, decided())).toEqual([{ kind: 'decision', live: 'deny', candidate: 'allow' }])
  })

  it('that both refuse differ by their reasons', () => {
    const bad = { headers: { 'x-api-key': 'guessed' } }
    const none = decided({ identity: 'sources: [jwt]' }, bad)
    expect(differencesOf(decided({}, bad), none)).toEqual([
      { kind: 'reason', live: 'invalid_credential', candidate: 'missing_credential' },
    ])
  })

  it('do not differ by a header that a client wrote and both take away', () => {
    const forged = { headers: { 'x-api-key': key.key, 'x-tenant-id': 'evil', x_tenant_plan: 'evil' } }
    expect(differencesOf(decided({}, forged), decided({}, forged))).toEqual([])
  })

  it('do not differ by what limits have left: each policy counts for itself', () => {
    const [one, two] = [decided(), decided()]
    const limits = { states: [], exposed: [], strictest: undefined, violated: [], observed: [] }
    expect(differencesOf({ ...one, limits } as Allow, two)).toEqual([])
  })

  it('do not differ by the bytes of a signed identity, but by whether there is one', () => {
    const signed = (identityToken?: string) => ({ ...decided(), ...(identityToken && { identityToken }) }) as Allow
    expect(differencesOf(signed('one'), signed('two'))).toEqual([])
    expect(differencesOf(signed(), signed('two'))).toEqual([
      { kind: 'headers', live: '', candidate: 'x-tenantgate-identity' },
    ])
  })

  it('tell of headers by their names alone', () => {
    const [a, b] = [decided(), { ...decided(), user: 'somebody', roles: ['boss'] } as Allow]
    expect(JSON.stringify(differencesOf(a, b))).not.toMatch(/somebody|boss/)
    expect(differencesOf(a, b)).toEqual([{ kind: 'headers', live: '', candidate: 'x-user-id, x-user-roles' }])
  })

  it('may differ by everything at once, in the order of the kinds', () => {
    const found = differencesOf(
      { ...decided(), request: requestOf({}), upstream: 'a', variant: 'a', plan: 'a' } as Allow,
      { ...decided({ tenant: 'globex', route: 'bills' }), upstream: 'b', variant: 'b', plan: 'b' } as Allow,
    )
    expect(found.map(({ kind }) => kind)).toEqual(DIFFERENCE_KINDS.slice(2))
  })

  it('that are refused alike for another cause in words do not differ', () => {
    const denied = decided({}, { headers: {} }) as Deny
    expect(differencesOf(denied, { ...denied, because: 'another' })).toEqual([])
  })
})
