/** `tenantgate kong-plugin-server` with policy and state in a real Redis, which it shares with a sidecar of Envoy's. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { REQUEST_KEY } from '../../../kong/handover.ts'
import { checkOf, createClient } from '../../ext-authz/client.ts'
import { createKongRpc, type KongRpc } from '../../kong/harness/pb-client.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'
import { createFolder, type Folder, policyText, run, type Serving, startService } from '../serving.ts'

let redis: RedisServer
let folder: Folder
const servers: Serving[] = []

beforeEach(async () => {
  redis = await startRedis({ own: true })
  folder = createFolder()
})

afterEach(async () => {
  for (const serving of servers.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  await redis.stop()
  folder.remove()
})

async function serve(...args: string[]): Promise<Serving> {
  const serving = await startService(args[0] ?? '', args.slice(1))
  servers.push(serving)
  return serving
}

async function isAllowed(client: KongRpc, id: string): Promise<boolean> {
  const headers = { host: 'acme.api.localhost', 'x-api-key': folder.key }
  const request = { method: 'GET', target: '/v1/orders/7', host: headers.host, headers, address: '127.0.0.1' }
  const handed = JSON.stringify({ id, requestId: id, ...request })
  const { outcome } = await client.handleEvent('tenant-gate', 'tenant-gate-1', {}, 'access', (method, args) =>
    method === 'kong.ctx.shared.get' && args[0] === REQUEST_KEY ? handed : undefined,
  )
  return outcome === 'done'
}

it('what a tenant has used up at one gateway it has used up at the other', async () => {
  const exact = policyText(folder.key).replace('quota: 1000000/day', 'quota: 5/year, exact: true')
  folder.writePolicy(`${exact}state: { timeout: 1s, lookupTimeout: 1s }\n`)
  const url = `${redis.url}?prefix=${redis.place.prefix}`
  expect(await run(['tenants', 'import', folder.policyFile, '--redis', url])).toMatchObject({ code: 0 })
  const socket = join(folder.path, 'kong.sock')
  await serve('kong-plugin-server', '--socket', socket, '--policy', url)
  const sidecar = await serve('serve', '--policy', url, '--listen', '127.0.0.1:0', '--http', 'off')

  const kong = createKongRpc({ socket, readTimeoutMs: 5000 })
  const asked: boolean[] = []
  for (const id of ['r1', 'r2', 'r3']) asked.push(await isAllowed(kong, id))
  expect(asked).toEqual([true, true, true])
  const envoy = createClient(sidecar.grpc[0] ?? '')
  const check = () => envoy.check(checkOf({ path: '/v1/orders/1', headers: { 'x-api-key': folder.key } }))
  const answers = await Promise.all([check(), check(), check(), check()])
  expect(answers.filter(({ deniedResponse }) => !deniedResponse)).toHaveLength(2)
  expect(await isAllowed(kong, 'r4')).toBe(false)
  kong.close()
  envoy.close()
})
