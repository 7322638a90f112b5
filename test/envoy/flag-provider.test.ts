/** Routes by the variants of an OpenFeature provider, through a real Envoy and `serve` as a process. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder, policyText } from '../cli/serving.ts'
import { newKey } from '../support/gate.ts'
import { type ServedEnvoy, startServedEnvoy } from './served-envoy.ts'

const IN_MEMORY = fileURLToPath(new URL('../fixtures/flag-providers/in-memory.mjs', import.meta.url))
const globex = newKey()
const folder = createFolder()
let served: ServedEnvoy

beforeAll(async () => {
  const flags = 'flags: { provider: true, headers: [x-app-version] }\n'
  const text = policyText(folder.key, flags)
    .replace('{ default: orders-stable }', '{ default: orders-stable, flag: orders-backend }')
    .replace('[orders-stable]', '[orders-stable, orders-canary]')
    .replace(
      'identity:\n',
      'identity:\n  headers: { x-tenantgate-open: "flag:open", x-tenantgate-gone: "flag:gone" }\n',
    )
    .replace(
      'upstreams:',
      `  globex: { plan: pro, apiKeys: [{ id: ci, hash: "${globex.hash}", scopes: [orders:read] }] }\nupstreams:`,
    )
  folder.writePolicy(text)
  served = await startServedEnvoy(folder, { args: ['--flag-provider', IN_MEMORY] })
})
afterAll(() => served.stop())

/** The backend that answers, and what it was told of. */
async function toldBy(key: string, more: Readonly<Record<string, string>> = {}) {
  const answer = await exchange(served.envoy.port, { path: '/v1/orders/1', headers: { 'x-api-key': key, ...more } })
  const { backend, headers } = JSON.parse(answer.body) as { backend: string; headers: [string, string][] }
  return { backend, ...Object.fromEntries(headers) } as Readonly<Record<string, string | undefined>>
}

it('go where the provider sends the tenant, or a header that the policy names', async () => {
  const askedBy = async (...asked: Parameters<typeof toldBy>) => {
    const { backend, 'x-tenantgate-variant': variant } = await toldBy(...asked)
    return [backend, variant]
  }
  expect(await askedBy(folder.key)).toEqual(['orders-canary', 'canary'])
  expect(await askedBy(globex.key)).toEqual(['orders-stable', 'stable'])
  expect(await askedBy(globex.key, { 'x-app-version': '2' })).toEqual(['orders-canary', 'canary'])
  expect(await askedBy(globex.key, { 'x-tenantgate-variant': 'canary' })).toEqual(['orders-stable', 'stable'])
})

it('tell the backend of flags of any type, and of none that the provider has disabled', async () => {
  const told = await toldBy(folder.key, { 'x-tenantgate-gone': 'yes' })
  expect(told['x-tenantgate-open']).toBe('true')
  expect(told).not.toHaveProperty('x-tenantgate-gone')
})
