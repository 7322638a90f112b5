/** A limit with a delay behind Kong: no request is held back for longer than its event may take. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Limits } from '../../kong/plugin-server/server.ts'
import { startWitnessedBackends } from '../conformance/backends.ts'
import { overHttp } from '../conformance/gateway.ts'
import { servePlugins } from '../conformance/kong-plugins.ts'
import { socketFolder } from '../support/envoy.ts'
import { newKey, policyOf } from '../support/gate.ts'
import { startKongHarness } from './harness/gateway.ts'

const acme = newKey()

const policy = policyOf(`
version: 1
plans: { paced: { limits: [{ name: paced, rate: 5 per 2s, burst: 1, delay: 2s }] } }
tenants: { acme: { plan: paced, apiKeys: [{ id: ci, hash: "${acme.hash}" }] } }
upstreams: [orders-stable]
routes: [{ name: read, match: { path: /read }, upstream: orders-stable }]
`)

/** So many requests, one after another, at one moment of the limits. */
async function statuses(times: number, limits: Partial<Limits>): Promise<number[]> {
  const folder = socketFolder()
  const socket = join(folder, 'plugins.sock')
  const plugins = await servePlugins(policy, socket, undefined, limits)
  const backends = await startWitnessedBackends()
  const config = { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true }
  const kong = await startKongHarness({
    socket,
    upstreams: backends.ports,
    service: 'orders-stable',
    plugins: () => [{ stage: 'gate', config }],
  })
  onTestFinished(async () => {
    await kong.stop()
    await plugins.stop()
    backends.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const lines = ['Host: gateway.example', `X-Api-Key: ${acme.key}`]
  const send = overHttp(kong.port, backends)
  const answers: number[] = []
  for (let i = 0; i < times; i++) {
    const request = { method: 'GET', path: '/read', lines, body: '', from: '127.0.0.1', http2: false, trailers: {} }
    answers.push((await send(request)).status)
  }
  expect(kong.log).toEqual([])
  return answers
}

describe('a limit with a delay of two seconds, whose next token comes in 400 ms', () => {
  it('holds back what can be answered before the event is over, and refuses the rest: 429, and no 503', async () => {
    expect(await statuses(4, { eventTimeoutMs: 1000 })).toEqual([200, 200, 200, 429])
  })

  it('holds back nothing where events may take no longer than that', async () => {
    expect(await statuses(2, { eventTimeoutMs: 400 })).toEqual([200, 429])
  })
})
