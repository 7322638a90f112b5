/** The stage of flags: what a switch, a caller's choice and a rule come to, and what of it backends and logs are told. */
import { describe, expect, it } from 'vitest'
import { decisionFacts } from '../../../core/answer.ts'
import { decide } from '../../../core/decide.ts'
import type { Allow } from '../../../core/decision.ts'
import { explained } from '../../../core/explained.ts'
import { askFlags } from '../../../core/flags/ask-flags.ts'
import { createFlags, type Flags } from '../../../core/flags/evaluate.ts'
import { backendHeaders, headersToRemove } from '../../../core/identity/headers.ts'
import { gateOf, NOON, newKey, policyOf, requestOf } from '../../support/gate.ts'

const flag = (variants: object, defaultVariant: string, more: object = {}) => ({
  state: 'ENABLED',
  variants,
  defaultVariant,
  ...more,
})

const DEFINITION = JSON.stringify({
  flags: {
    backend: flag({ stable: 'stable', canary: 'canary' }, 'stable', {
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'canary', null] },
    }),
    frozen: flag({ stable: 'stable', canary: 'canary' }, 'canary', { state: 'DISABLED' }),
    text: flag({ on: 'blue' }, 'on'),
    number: flag({ on: 0 }, 'on'),
    object: flag({ on: { sizes: [1, 2], name: 'größe' } }, 'on'),
    endless: flag({ on: 'x'.repeat(1025) }, 'on'),
    'off-in-file': flag({ on: true }, 'on', { state: 'DISABLED' }),
    versioned: flag({ new: 'new', old: 'old' }, 'old', {
      targeting: { if: [{ '==': [{ var: 'header:x-app' }, '2'] }, 'new', 'old'] },
    }),
  },
})

const key = newKey()
const policy = policyOf(
  `version: 1
identity:
  headers:
    x-tenant-tier: attribute:tier
    x-tenantgate-text: flag:text
    x-tenantgate-number: flag:number
    x-tenantgate-object: flag:object
    x-tenantgate-endless: flag:endless
    x-tenantgate-off: flag:off-in-file
    x-tenantgate-app: flag:versioned
plans: { free: { limits: [] } }
tenants:
  acme: { plan: free, attributes: { beta: true, tier: gold }, apiKeys: [{ id: app, hash: "${key.hash}", roles: [tester] }] }
upstreams: [stable, canary]
routes:
  - { name: open, match: { path: /open }, anonymous: true, upstream: { default: stable, flag: backend } }
  - { name: frozen, match: { path: /frozen }, upstream: { default: stable, flag: frozen } }
  - { name: plain, match: { path: /plain }, upstream: canary }
  - { name: all, match: { path: /** }, upstream: { default: stable, flag: backend } }
flags: { file: flags.json, headers: [X-App], override: { header: X-Choose, anyRole: [tester] } }
`,
  { 'flags.json': DEFINITION },
)

const { given } = gateOf(policy)

async function asked(path: string, headers: Record<string, string> = {}, flags: Flags = given.flags): Promise<Allow> {
  const answer = await decide(requestOf({ path, headers: { 'x-api-key': key.key, ...headers } }), {
    ...given,
    flags,
    now: NOON,
  })
  if (answer.decision === 'deny') throw new Error(answer.because)
  return answer
}

async function words(path: string, headers: Record<string, string> = {}, flags: Flags = given.flags) {
  const request = requestOf({ path, headers: { 'x-api-key': key.key, ...headers } })
  const { stages } = await explained(request, { ...given, flags, now: NOON }, '')
  return stages.find(({ stage }) => stage === 'flags')?.found.split('; x-tenantgate-')[0]
}

const told = (allow: Allow) => Object.fromEntries(backendHeaders(allow))

describe('the order', () => {
  const switched = createFlags(DEFINITION, { isOff: (name) => name === 'backend' })

  it('a rule chooses, where nothing is off and nobody has chosen', async () => {
    expect(await asked('/x')).toMatchObject({ upstream: 'canary', variant: 'canary', fallback: 'stable' })
    expect(await words('/x')).toBe('canary (variant canary): flag backend: TARGETING_MATCH')
  })

  it('who may choose comes before a rule', async () => {
    const choice = { 'x-choose': 'backend=stable' }
    expect(await asked('/x', choice)).toMatchObject({ upstream: 'stable', variant: 'stable' })
    expect(await words('/x', choice)).toBe('stable (variant stable): flag backend: OVERRIDE by role tester')
  })

  it('a switch comes before both', async () => {
    const allow = await asked('/x', { 'x-choose': 'backend=canary' }, switched)
    expect(allow.upstream).toBe('stable')
    expect(allow).not.toHaveProperty('variant')
    expect(await words('/x', {}, switched)).toBe('stable: flag backend: switched off; default of the route')
  })

  it('DISABLED in the file is the same by file', async () => {
    expect((await asked('/frozen', { 'x-choose': 'frozen=canary' })).upstream).toBe('stable')
    expect(await words('/frozen')).toBe('stable: flag frozen: DISABLED; default of the route')
  })

  it('a value that is no upstream comes to the default, is said, and counts as an error', async () => {
    const odd = createFlags(JSON.stringify({ flags: { backend: flag({ on: 'nowhere' }, 'on') } }))
    expect(await words('/x', {}, odd)).toBe(
      "stable: flag backend: ERROR TYPE_MISMATCH, 'nowhere' is no upstream; default of the route",
    )
    expect((await asked('/x', {}, odd)).flags?.[0]).toMatchObject({ flag: 'backend', reason: 'ERROR' })
  })

  it('a flag that is missing comes to the default, and it is said why', async () => {
    expect(await words('/x', {}, createFlags(undefined))).toBe(
      'stable: flag backend: ERROR FLAG_NOT_FOUND; default of the route',
    )
  })
})

describe('the header by which callers choose', () => {
  it('is told of where it moves nothing', async () => {
    const said = async (text: string) => {
      const request = requestOf({ path: '/x', headers: { 'x-api-key': key.key, 'x-choose': text } })
      const { stages } = await explained(request, { ...given, now: NOON }, '')
      return stages.find(({ stage }) => stage === 'flags')?.found
    }
    expect(await said('nothing=here')).toContain("; x-choose: there is no flag 'nothing'")
    expect(await said('backend=gold')).toContain("; x-choose: flag backend has no variant 'gold'")
    expect(await said('what')).toContain('; x-choose moves nothing: it is not `flag=variant, flag=variant`')
  })

  it.each(['/x', '/plain', '/open', '/frozen'])(
    'reaches no backend of %s, in any spelling, seen or not',
    async (path) => {
      const sent = { 'x-choose': 'backend=canary', x_choose: 'a', 'X-Choose': 'b' }
      const allow = await asked(path, sent)
      expect(headersToRemove(allow, backendHeaders(allow))).toEqual(expect.arrayContaining(Object.keys(sent)))
      expect(headersToRemove(await asked(path), [])).toContain('x-choose')
    },
  )
})

describe('flags that backends are told', () => {
  it('texts, numbers and objects as they fit a header; nothing of what is off, broken or too long', async () => {
    expect(told(await asked('/x'))).toMatchObject({
      'x-tenant-tier': 'gold',
      'x-tenantgate-text': 'blue',
      'x-tenantgate-number': '0',
      'x-tenantgate-object': '{"sizes":[1,2],"name":"gr\\u00f6\\u00dfe"}',
    })
    for (const name of ['endless', 'off']) expect(told(await asked('/x'))).not.toHaveProperty(`x-tenantgate-${name}`)
    expect(headersToRemove(await asked('/x'), [])).toContain('x-tenantgate-off')
  })

  it('on every route, also of nobody, of whom they know nothing', async () => {
    const allow = await asked('/open')
    expect(allow.upstream).toBe('stable')
    expect(told(allow)).toMatchObject({ 'x-tenantgate-text': 'blue', 'x-tenantgate-app': 'old' })
    expect(told(allow)).not.toHaveProperty('x-tenant-tier')
  })

  it('by headers of the request that the policy names', async () => {
    expect(told(await asked('/x', { 'x-app': '2' }))['x-tenantgate-app']).toBe('new')
    expect(told(await asked('/x', { 'x-app': '2'.repeat(257) }))['x-tenantgate-app']).toBe('old')
  })

  it('is said in explain', async () => {
    const request = requestOf({ path: '/plain', headers: { 'x-api-key': key.key } })
    const { stages, toBackend } = await explained(request, { ...given, now: NOON }, '')
    const found = stages.find(({ stage }) => stage === 'flags')?.found
    expect(found).toContain('canary: default of the route; x-tenantgate-text blue: flag text: STATIC; ')
    expect(found).toContain('x-tenantgate-endless not set: flag endless: STATIC, which does not fit into a header')
    expect(found).toContain('x-tenantgate-off not set: flag off-in-file: DISABLED')
    expect(toBackend).toHaveProperty('x-tenantgate-number', '0')
  })

  it('of a provider that takes its time, all at once', async () => {
    const waiting: (() => void)[] = []
    const slow: Flags = {
      ...given.flags,
      evaluate: (...of) => new Promise((done) => waiting.push(() => done(given.flags.evaluate(...of)))),
    }
    const answer = asked('/x', {}, slow)
    await new Promise(setImmediate)
    // those that are off are not asked
    expect(waiting).toHaveLength(6)
    for (const go of waiting) go()
    expect(told(await answer)).toEqual(told(await asked('/x')))
  })
})

describe('flags of one request that are sticky for different ones', () => {
  const byKey = (metadata: object) =>
    flag({ acme: 'acme', 'user-7': 'user-7', nobody: 'nobody' }, 'nobody', {
      targeting: { if: [{ in: [{ var: 'targetingKey' }, ['acme', 'user-7']] }, { var: 'targetingKey' }, null] },
      metadata,
    })
  const definition = JSON.stringify({
    flags: { 'by-tenant': byKey({}), 'by-user': byKey({ targetingKey: 'user' }) },
  })
  const principal = { kind: 'apiKey', credential: 'app', roles: [], scopes: [], user: 'user-7' } as const

  it.each([
    ['by-tenant', 'by-user', { upstream: 'acme', told: 'user-7' }],
    ['by-user', 'by-tenant', { upstream: 'user-7', told: 'acme' }],
  ])('are each asked for their own: the route’s %s, and %s that the backend is told', (ofRoute, ofHeader, wanted) => {
    const sticky = policyOf(
      `version: 1
identity: { headers: { x-tenantgate-told: "flag:${ofHeader}" } }
plans: { free: {} }
tenants: { acme: { plan: free } }
upstreams: [acme, user-7, nobody]
routes: [{ name: all, match: { path: /** }, upstream: { default: nobody, flag: ${ofRoute} } }]
flags: { file: flags.json }
`,
      { 'flags.json': definition },
    )
    const [route] = sticky.routes.routes
    const tenant = sticky.directory.byName('acme')
    if (!route || !tenant) throw new Error('the policy has both')
    const subject = { request: requestOf({}), route, tenant, principal }
    const found = askFlags(subject, sticky, createFlags(definition), NOON)
    expect(found).toMatchObject({ choice: { upstream: wanted.upstream }, told: [{ value: wanted.told }] })
  })
})

describe('the facts of a decision', () => {
  it('say why where a variant is not what its rules give', async () => {
    expect(decisionFacts(await asked('/x', { 'x-choose': 'backend=stable, off-in-file=on' })).flagReason).toBe(
      'OVERRIDE',
    )
    expect(decisionFacts(await asked('/frozen')).flagReason).toBe('DISABLED')
    expect(decisionFacts(await asked('/x'))).not.toHaveProperty('flagReason')
    expect(decisionFacts(await asked('/plain'))).not.toHaveProperty('flagReason')
  })

  it('all that was evaluated is there to be counted, the route’s own first', async () => {
    const { flags = [] } = await asked('/x')
    expect(flags.map(({ flag, variant = '', reason }) => `${flag} ${variant} ${reason}`)).toEqual([
      'backend canary TARGETING_MATCH',
      'text on STATIC',
      'number on STATIC',
      'object on STATIC',
      'endless on STATIC',
      'off-in-file  DISABLED',
      'versioned old TARGETING_MATCH',
    ])
  })

  it('an answer needs no promise', () => {
    const ask = gateOf(policy).ask({ path: '/x', headers: { 'x-api-key': key.key, 'x-choose': 'backend=stable' } })
    expect(ask).not.toBeInstanceOf(Promise)
  })
})
