/** A canary that is down behind a real Kong: its tenants are served by stable, and come back to it. What is lost is counted. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RealKong, referenceYaml, startKong } from '../../../demo/run-kong.ts'
import { exchange } from '../../../demo/smoke/exchange.ts'
import { type ServedPlugins, servePlugins } from '../../conformance/kong-plugins.ts'
import { socketFolder } from '../../support/envoy.ts'
import { newKey, policyOf } from '../../support/gate.ts'
import { CLIENTS, lossText, outage } from '../../support/outage.ts'
import { type Health, startVersion, type Version } from '../../support/version.ts'
import { servedElsewhere } from './plugins.ts'

const flag = (value: string) => ({ state: 'ENABLED', variants: { canary: value }, defaultVariant: 'canary' })
const flags = JSON.stringify({ flags: { orders: flag('orders-canary'), gone: flag('orders-gone') } })
const key = newKey()
const policy = policyOf(
  `
version: 1
flags: flags.json
plans: { any: { limits: [] } }
tenants: { acme: { plan: any, apiKeys: [{ id: ci, hash: "${key.hash}" }] } }
upstreams: [orders-stable, orders-canary, orders-gone]
routes:
  - { name: orders, match: { path: /v1/orders }, upstream: { default: orders-stable, flag: orders } }
  - { name: gone, match: { path: /v1/gone }, upstream: { default: orders-stable, flag: gone } }
  - { name: no-way-back, match: { path: /v1/no-way-back }, upstream: orders-gone }
`,
  { 'flags.json': flags },
)
const headers = { 'x-api-key': key.key }

const folder = socketFolder()
let stable: Version
let canary: Version
let plugins: ServedPlugins
let kong: RealKong
beforeAll(async () => {
  stable = await startVersion('orders-stable')
  canary = await startVersion('orders-canary')
  const socket = join(folder, 'plugins.sock')
  plugins = await servePlugins(policy, socket)
  const yaml = referenceYaml()
  for (const { name, targets } of yaml.upstreams) {
    targets.splice(0, 1, { target: `127.0.0.1:${name === 'orders-canary' ? canary.port : stable.port}` })
  }
  // what is waited for in vain, while a test waits
  for (const service of yaml.services) service.read_timeout = 2000
  const settings = { ...servedElsewhere(folder, socket), proxy_access_log: 'logs/access.log tenantgate' }
  kong = await startKong({ folder, yaml, settings })
})
afterAll(async () => {
  await kong?.stop()
  await plugins?.stop()
  await canary?.kill()
  await stable?.kill()
  rmSync(folder, { recursive: true, force: true })
})

const become = (health: Health) => async () => {
  canary.health = health
}

/**
 * At most so many of each kind: those under way, and those that meet it before each of the two workers knows; and those that it
 * answers until it is left out.
 */
const WAYS: readonly (readonly [what: string, happens: () => Promise<void>, lost: number])[] = [
  ['is killed', () => canary.kill(), 4 * CLIENTS],
  ['hangs', become('hangs'), 4 * CLIENTS],
  ['answers everything with 503', become('fails'), 20 + 4 * CLIENTS],
  ['answers everything but checks with 503', become('sick'), 20 + 4 * CLIENTS],
]

describe('all targets of the canary', () => {
  it.each(WAYS)(
    '%s: stable serves its tenants, and they come back with it',
    async (what, happens, most) => {
      const tally = await outage({ port: kong.port, headers, stable, canary, happens })
      process.stdout.write(`${lossText(what, tally)}\n`)
      expect(tally.mistold).toEqual([])
      expect(tally.lost.GET.length + tally.lost.POST.length).toBeLessThanOrEqual(most)
    },
    90_000,
  )
})

describe('an upstream that Kong does not have', () => {
  it('is served by the default of the route, which is told so', async () => {
    const { status, json } = await exchange(kong.port, { path: '/v1/gone', headers })
    expect([status, json]).toEqual([200, { name: 'orders-stable', told: ['orders-stable', null] }])
    expect(kong.errorLog()).toMatch(/\[warn\].*upstream 'orders-gone': Kong has no such upstream/)
  })

  it('is a 503 where no flag has chosen it: there is no default to fall back to', async () => {
    const { status, json } = await exchange(kong.port, { path: '/v1/no-way-back', headers })
    expect([status, json.code]).toEqual([503, 'dependency_unavailable'])
  })

  it('the access log tells which was chosen, and which has served', async () => {
    const lines = () =>
      readFileSync(join(folder, 'prefix', 'logs', 'access.log'), 'utf8')
        .trim()
        .split('\n')
    await exchange(kong.port, { path: '/v1/gone', headers: { ...headers, 'user-agent': 'logged' } })
    const line = () => lines().find((text) => text.includes('"logged"'))
    await vi.waitFor(() => expect(line()).toBeDefined(), { timeout: 5000 })
    const told = { upstream: 'orders-gone', variant: 'canary', backendCluster: 'orders-stable', tenant: 'acme' }
    expect(JSON.parse(line() ?? '')).toMatchObject(told)
  })
})
