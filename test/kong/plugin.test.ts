/** A plugin's phase: from what Kong tells to a mark or a refusal, in few calls; nothing that goes wrong lets a request pass. */
import { beforeEach, describe, expect, it } from 'vitest'
import { decide } from '../../core/decide.ts'
import { createDecider, type Decider } from '../../kong/decider.ts'
import { type HandedRequest, type Mark, markKey, REQUEST_KEY } from '../../kong/handover.ts'
import type { Kong, PluginEvent } from '../../kong/pdk.ts'
import { definePlugin } from '../../kong/plugin.ts'
import { gateOf, NOON, newKey, policyOf } from '../support/gate.ts'
import { createPdkRequest, type PdkRequest } from './harness/pdk-request.ts'
import { kongOf } from './kong-of.ts'

const key = newKey()
const upstreams: ReadonlySet<string> = new Set(['stable'])

const flags = JSON.stringify({
  flags: { canary: { state: 'ENABLED', variants: { beta: 'beta', stable: 'stable' }, defaultVariant: 'beta' } },
})
const text = `
version: 1
flags: flags.json
plans: { tiny: { limits: [{ name: daily, quota: 2/day }] } }
tenants: { acme: { plan: tiny, apiKeys: [{ id: ci, hash: "${key.hash}", scopes: [a] }] } }
upstreams: [stable, beta]
routes:
  - { name: open, match: { path: /open }, upstream: stable }
  - { name: lost, match: { path: /lost }, upstream: beta }
  - { name: canary, match: { path: /canary }, upstream: { default: stable, flag: canary } }
  - { name: health, match: { path: /healthz }, anonymous: true }
`
const policy = policyOf(text, { 'flags.json': flags })

let decider: Decider
let faults: unknown[]
let now: number
beforeEach(() => {
  const { given } = gateOf(policy)
  faults = []
  now = 0
  decider = createDecider({
    decide: (request, stages) => decide(request, { ...given, now: NOON, stages }),
    onFault: (fault) => faults.push(fault),
    elapsed: () => now,
  })
})

const noOwn = () => Promise.reject(new Error('no policy'))
const Gate = definePlugin('gate', noOwn)
const Quota = definePlugin('quota', noOwn)

const handed = (more: Partial<HandedRequest> = {}): HandedRequest => ({
  id: 'kong-1',
  requestId: 'r-1',
  method: 'GET',
  target: '/open',
  host: 'gateway.test',
  headers: { 'x-api-key': key.key },
  address: '192.0.2.7',
  ...more,
})

function requestOf(path = '/open', lines: readonly string[] = [`X-Api-Key: ${key.key}`]): PdkRequest {
  return createPdkRequest({ method: 'GET', path, lines: ['Host: a.test', ...lines], body: '', from: '::1' }, upstreams)
}

/** An event that nobody waits for any more. */
const GONE: PluginEvent = { abandoned: () => true, timeLeftMs: () => 0 }

/** Runs a plugin on a request with this text under the guard's key. */
async function run(text: unknown, Plugin = Gate, event?: PluginEvent): Promise<PdkRequest> {
  const request = requestOf()
  request.call('kong.ctx.shared.set', [REQUEST_KEY, text])
  await new Plugin({}, decider).access?.(kongOf(request), event)
  return request
}

const markOf = (request: PdkRequest, name: 'gate' | 'quota' = 'gate'): Mark | undefined => {
  const text = request.call('kong.ctx.shared.get', [markKey(name)])
  return text === undefined ? undefined : JSON.parse(String(text))
}

const codeOf = ({ exited }: PdkRequest) => exited && { status: exited.status, ...JSON.parse(exited.body || '{}') }

describe('behind the guard', () => {
  it('an allowed request costs one read and one write, and bears the mark of this very request', async () => {
    const request = await run(JSON.stringify(handed()))
    expect(request.calls.slice(1)).toEqual(['kong.ctx.shared.get', 'kong.ctx.shared.set'])
    expect(markOf(request)).toMatchObject({ id: 'kong-1', stage: 'gate', set: { 'x-tenant-id': 'acme' } })
  })

  it('a refused request is answered by the plugin itself and bears no mark', async () => {
    const request = await run(JSON.stringify(handed({ headers: {} })))
    expect(request.calls.slice(1)).toEqual(['kong.ctx.shared.get', 'kong.response.exit'])
    expect(codeOf(request)).toMatchObject({ status: 401, code: 'missing_credential', requestId: 'r-1' })
    expect(markOf(request)).toBeUndefined()
  })

  it('a text that cannot be read is 503, and one that is too long 431', async () => {
    expect(codeOf(await run('{"id":'))).toMatchObject({ status: 503, code: 'dependency_unavailable' })
    expect(codeOf(await run({ id: 'kong-1' }))).toMatchObject({ status: 503 })
    expect(codeOf(await run('x'.repeat(600_000)))).toMatchObject({ status: 431, requestId: expect.stringMatching(/./) })
    expect(faults).toEqual([])
  })

  it('the same event again is charged once and answered the same; another stage or request is charged', async () => {
    const first = markOf(await run(JSON.stringify(handed())))
    expect(first?.answer).toMatchObject({ 'x-ratelimit-remaining': '1' })
    for (const _ of [1, 2, 3]) expect(markOf(await run(JSON.stringify(handed())))).toEqual(first)
    const quota = markOf(await run(JSON.stringify(handed()), Quota), 'quota')
    expect(quota).toMatchObject({ stage: 'quota', answer: { 'x-ratelimit-remaining': '0' } })
    expect(codeOf(await run(JSON.stringify(handed({ id: 'kong-2' }))))).toMatchObject({ status: 429 })
  })

  it('another text under the same id is another request: a backend can send Kong to another path', async () => {
    const open = await run(JSON.stringify(handed()))
    expect(markOf(open)).toMatchObject({ upstream: 'stable' })
    const lost = await run(JSON.stringify(handed({ target: '/lost' })))
    expect(markOf(lost)).toMatchObject({ upstream: 'beta', answer: { 'x-ratelimit-remaining': '0' } })
    expect(codeOf(await run(JSON.stringify(handed({ headers: {} }))))).toMatchObject({ status: 401 })
  })

  it('another configuration of the plugin is another question, and a new instance of the same one is not', async () => {
    const first = markOf(await run(JSON.stringify(handed())))
    const narrow = { stages: ['auth', 'quota'] }
    const again = [narrow, { ...narrow }, {}].map(async (config, index) => {
      const request = requestOf()
      request.call('kong.ctx.shared.set', [REQUEST_KEY, JSON.stringify(handed({ id: index === 2 ? 'kong-1' : 'n' }))])
      await new Gate(config, decider).access?.(kongOf(request))
      return markOf(request)
    })
    const [one, two, same] = await Promise.all(again)
    expect(same).toEqual(first)
    expect(one).toEqual(two)
    expect(one?.upstream).toBeUndefined()
    expect(one?.answer).toMatchObject({ 'x-ratelimit-remaining': '0' })
  })

  it('a refusal by a limit is the same when it is asked for again, and is over in time', async () => {
    for (const id of ['a', 'b']) await run(JSON.stringify(handed({ id })))
    for (const _ of [1, 2])
      expect(codeOf(await run(JSON.stringify(handed({ id: 'c' }))))).toMatchObject({ status: 429 })
    now = 10_000
    expect(codeOf(await run(JSON.stringify(handed({ id: 'a' }))))).toMatchObject({ status: 429 })
  })

  it('what nobody waits for is not charged', async () => {
    const gone = await run(JSON.stringify(handed()), Gate, GONE)
    expect(codeOf(gone)).toMatchObject({ status: 503 })
    expect(markOf(await run(JSON.stringify(handed())))?.answer).toMatchObject({ 'x-ratelimit-remaining': '1' })
  })
})

describe('a fault', () => {
  const broken = (more: Partial<Decider>): Decider => ({ ...decider, ...more })
  const throwing = () => {
    throw new Error('broken')
  }

  it.each<[string, () => Partial<Decider>]>([
    ['thrown', () => ({ answer: throwing })],
    ['rejected', () => ({ answer: () => Promise.reject(new Error('broken')) })],
  ])('that is %s is a 503 and is told', async (_how, more) => {
    const request = requestOf()
    await new Gate({}, broken(more())).access?.(kongOf(request))
    expect(codeOf(request)).toMatchObject({ status: 503, requestId: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(JSON.stringify(request.exited)).not.toContain('broken')
    expect(faults).toHaveLength(1)
  })

  it('of Kong in any of its functions is a 503, too', async () => {
    for (const method of ['ctx.shared.get', 'request.get_headers', 'nginx.get_var', 'service.request.set_headers']) {
      const request = requestOf()
      const kong: Kong = kongOf({
        call: (name, args) => (name === `kong.${method}` ? throwing() : request.call(name, args)),
      })
      await new Gate({}, decider).access?.(kong)
      expect(codeOf(request), method).toMatchObject({ status: 503 })
    }
  })

  it('without a policy in a server that gives us nothing refuses', async () => {
    const request = requestOf()
    await new Gate({}).access?.(kongOf(request))
    expect(codeOf(request)).toMatchObject({ status: 503 })
  })

  it('after the event is over is nobody’s', async () => {
    const request = requestOf()
    await new Gate({}, broken({ answer: throwing })).access?.(kongOf(request), GONE)
    expect(faults).toEqual([])
  })
})

describe('without the guard', () => {
  async function unguarded(path?: string, lines?: readonly string[], config: Record<string, unknown> = {}) {
    const request = requestOf(path, lines)
    await new Gate(config, decider).access?.(kongOf(request))
    return request
  }

  it('an allowed request with limits, upstream and caller costs eight calls', async () => {
    const request = await unguarded()
    expect(request.calls).toEqual([
      'kong.ctx.shared.get',
      'kong.request.get_headers',
      'kong.nginx.get_var',
      'kong.nginx.get_var',
      'kong.service.set_upstream',
      'kong.service.request.set_headers',
      'kong.client.authenticate',
      'kong.response.set_headers',
    ])
    expect(request).toMatchObject({ upstream: 'stable', answer: { 'x-ratelimit-remaining': '1' }, exited: undefined })
    expect(request.authenticated).toMatchObject([
      { username: 'acme' },
      { id: 'acme/ci', consumer_id: expect.any(String) },
    ])
  })

  it("every spelling of the client's is gone, and every header that would name another request", async () => {
    const lies = [
      'X-Tenant-Id: evil',
      'x_tenant_id: evil',
      'X_User-Roles: root',
      'X-Original-Url: /admin',
      'X_Host: evil',
      'X-Tenant-Anything: evil',
      'x-user_email: evil',
      'X-Forwarded-Client-Cert: evil',
    ]
    const { headers } = await unguarded('/healthz', [...lies, 'X-Mine: 1'])
    expect(headers.map(([name]) => name.toLowerCase())).toEqual(['host', 'x-mine', 'x-request-id'])
  })

  it('an upstream that Kong does not know is a 503', async () => {
    expect(codeOf(await unguarded('/lost'))).toMatchObject({ status: 503, code: 'dependency_unavailable' })
  })

  it('one that a flag has chosen is none: the default serves, and is told so and of no variant', async () => {
    const { upstream, headers, exited } = await unguarded('/canary')
    expect([upstream, exited]).toEqual(['stable', undefined])
    expect(headers.filter(([name]) => /tenantgate/i.test(name))).toEqual([['x-tenantgate-upstream', 'stable']])
  })

  it('Kong goes its own way where the configuration says so', async () => {
    const config = { set_upstream: false, set_consumer: false }
    const request = await unguarded('/lost', undefined, config)
    expect([request.exited, request.upstream, request.authenticated]).toEqual([undefined, undefined, undefined])
  })

  it('more headers than Kong shows by default are 431, as lines, not as names', async () => {
    const same = Array.from({ length: 100 }, () => 'X-Same: 1')
    expect(codeOf(await unguarded('/healthz', same))).toMatchObject({ status: 431 })
    expect((await unguarded('/healthz', same.slice(2))).exited).toBeUndefined()
  })

  it('a Connection header that would take ours away is 400', async () => {
    expect(codeOf(await unguarded('/open', ['Connection: close, X-Tenant-ID']))).toMatchObject({ status: 400 })
    expect(codeOf(await unguarded('/open', ['Connection: Content-Length']))).toMatchObject({ status: 400 })
  })

  it.each(['/open/../admin', 'http://a.test/open', '/a b', '*'])('the target %s is no path: 400', async (path) => {
    expect(codeOf(await unguarded(path))).toMatchObject({ status: 400, code: 'malformed_request' })
  })

  it("Kong's id is told where the request has none", async () => {
    const { call, ...request } = requestOf('/open', [])
    const kong = kongOf({
      call: (name, args) => (name === 'kong.request.get_headers' ? { host: 'a.test' } : call(name, args)),
    })
    let told = ''
    const exit: Kong['response']['exit'] = async (_status, body) => {
      told = body
    }
    await new Gate({}, decider).access?.({ ...kong, response: { ...kong.response, exit } })
    expect(request.exited).toBeUndefined()
    expect(JSON.parse(told).requestId).toMatch(/^[0-9a-f]{32}$/)
  })
})
