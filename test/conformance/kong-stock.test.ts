/**
 * The table, as far as the stock plugin server can carry it: our plugin files, built as they are shipped, in the real
 * `kong-js-pluginserver`, on requests that a stand-in for Kong describes through the PDK. There is no guard and no HTTP here.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKongMsgpack, type KongMsgpack } from '../kong/harness/msgpack-client.ts'
import {
  type Build,
  buildPlugins,
  dumpAllPlugins,
  type StockServer,
  startStockServer,
} from '../kong/harness/msgpack-server.ts'
import { createPdkRequest } from '../kong/harness/pdk-request.ts'
import type { Case } from './case.ts'
import { topics } from './cases.ts'
import { NOON } from './credentials.ts'
import { runConformance } from './driver.ts'
import type { Answer, GatewayUnderTest, StartGateway } from './gateway.ts'
import type { SentRequest } from './raw-http.ts'

const UPSTREAMS: ReadonlySet<string> = new Set(['orders-stable', 'orders-beta', 'orders-canary'])

let build: Build
beforeAll(async () => {
  build = await buildPlugins()
})
afterAll(() => build?.remove())

const startStock: StartGateway = async ({ files, env }) => {
  const folder = mkdtempSync(join(tmpdir(), 'tg-stock-policy-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const settings = { ...env, TENANTGATE_POLICY: join(folder, 'policy.yaml') }
  let server: StockServer
  let kong: KongMsgpack
  const start = async () => {
    server = await startStockServer(build, settings, NOON * 1000)
    kong = await createKongMsgpack(server.socket)
  }
  const stop = async () => {
    kong.close()
    await server.stop()
  }
  await start()
  const gateway: GatewayUnderTest = {
    name: 'kong-stock',
    send: (request) => send(kong, request),
    // limits are in the process's memory
    reset: async () => {
      await stop()
      await start()
    },
    stop: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return gateway
}

async function send(kong: KongMsgpack, sent: SentRequest): Promise<Answer> {
  const request = createPdkRequest(sent, UPSTREAMS)
  await kong.handleEvent('tenant-gate', {}, 'access', request.call)
  const { exited } = request
  if (exited) return { ...exited, reached: [] }
  const { upstream = 'orders-stable', headers, answer } = request
  const { method, path } = sent
  return { status: 200, headers: answer, body: '', reached: [{ upstream, method, path, headers }] }
}

runConformance(topics, startStock)
