/** A variant that a caller has chosen, through a real Envoy and `serve` as a process: at the backend, in the access log, as a number. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder, policyText } from '../cli/serving.ts'
import { type ServedEnvoy, startServedEnvoy } from './served-envoy.ts'

const FLAGS = {
  'orders-backend': {
    state: 'ENABLED',
    variants: { stable: 'orders-stable', canary: 'orders-canary' },
    defaultVariant: 'stable',
  },
}

const folder = createFolder()
let served: ServedEnvoy

beforeAll(async () => {
  writeFileSync(join(dirname(folder.policyFile), 'flags.json'), JSON.stringify({ flags: FLAGS }))
  const flags = 'flags: { file: flags.json, override: { header: x-flag-override, credentials: [acme/ci] } }\n'
  const text = policyText(folder.key, flags)
    .replace('{ default: orders-stable }', '{ default: orders-stable, flag: orders-backend }')
    .replace('[orders-stable]', '[orders-stable, orders-canary]')
  folder.writePolicy(text)
  served = await startServedEnvoy(folder)
})
afterAll(() => served.stop())

/** The backend that answers, and the names of all headers that it was sent. */
async function ask(path: string, headers: Readonly<Record<string, string>> = {}) {
  const { body } = await exchange(served.envoy.port, { path, headers: { 'x-api-key': folder.key, ...headers } })
  const told = JSON.parse(body) as { backend: string; headers: [string, string][] }
  return { backend: told.backend, names: told.headers.map(([name]) => name.toLowerCase()) }
}

async function lineOf(path: string): Promise<Record<string, unknown>> {
  const find = () => served.envoy.accessLog.find((line) => line.includes(`"${path}"`))
  await expect.poll(find, { timeout: 10_000 }).toBeDefined()
  return JSON.parse(find() ?? '')
}

it('goes where the caller has chosen, and the header that says so goes nowhere', async () => {
  expect((await ask('/v1/orders/plain')).backend).toBe('orders-stable')
  const { backend, names } = await ask('/v1/orders/chosen', { 'x-flag-override': 'orders-backend=canary' })
  expect(backend).toBe('orders-canary')
  expect(names.filter((name) => name.includes('override'))).toEqual([])
})

it('the access log tells the variant, and that it was chosen; where a rule has given it, nothing more', async () => {
  expect(await lineOf('/v1/orders/chosen')).toMatchObject({
    upstream: 'orders-canary',
    variant: 'canary',
    flagReason: 'OVERRIDE',
  })
  expect(await lineOf('/v1/orders/plain')).toMatchObject({
    upstream: 'orders-stable',
    variant: 'stable',
    flagReason: null,
  })
})

it('each is counted', async () => {
  const text = await (await fetch(`${served.sidecar.http}/metrics`)).text()
  const name = 'tenantgate_flag_evaluations_total'
  expect(text).toContain(`${name}{flag="orders-backend",variant="canary",reason="OVERRIDE"} 1`)
  expect(text).toContain(`${name}{flag="orders-backend",variant="stable",reason="STATIC"} 1`)
})
