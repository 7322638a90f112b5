/**
 * `npm run bench:denials [-- COUNT]`: the memory of a plugin server that refuses a million requests of as many different ids, each
 * on a connection of its own, since Kong closes the one on which a plugin has answered the client. It runs from the sources,
 * since the harness that plays Kong's side is not part of the build.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { REQUEST_KEY } from '../kong/handover.ts'
import { createKongRpc, type KongRpc } from '../test/kong/harness/pb-client.ts'
import { temporaryFolder } from './policies.ts'
import { startKongPluginServer } from './server-process.ts'
import { machineText } from './table.ts'

const DENIALS = 1_000_000
/** Where memory is read: the first is when everything has been compiled. */
const PARTS = [0.05, 0.25, 0.5, 1]
const LANES = 32
/** Decisions about limits are remembered for ten seconds, in two generations: as many as came, up to a bound. */
const FORGOTTEN_MS = 21_000
const MEGABYTE = 1024 ** 2
const CONF = { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true }

const policyWith = (key: string) => `version: 1
plans:
  one: { limits: [{ name: hourly, rate: 1/h }] }
tenants:
  acme: { plan: one, apiKeys: [{ id: ci, hash: "${storedHash(key)}" }] }
routes:
  - { name: read, match: { path: "/v1/orders/{id}" } }
`

/** How a request is refused, by the status: what it shows, and for what. */
const KINDS: readonly { readonly status: number; readonly target: string; readonly shows: (key: string) => object }[] =
  [
    { status: 401, target: '/v1/orders/7', shows: () => ({}) },
    { status: 401, target: '/v1/orders/7', shows: () => ({ 'x-api-key': createApiKey('bench', randomBytes) }) },
    { status: 429, target: '/v1/orders/7', shows: (key) => ({ 'x-api-key': key }) },
    { status: 403, target: '/nowhere', shows: (key) => ({ 'x-api-key': key }) },
  ]

/** What the guard hands over of request number `n`. */
function handedOver(n: number, target: string, shown: object): string {
  const id = n.toString(16).padStart(32, '0')
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
  const headers = { host: 'bench.example', 'user-agent': 'bench', ...shown }
  return JSON.stringify({ id, requestId: id, method: 'GET', target, host: headers.host, headers, address })
}

/** The status that a plugin has answered with; undefined when it let the request pass. */
async function statusOf(rpc: KongRpc, handed: string): Promise<unknown> {
  let status: unknown
  await rpc.handleEvent('tenant-gate', 'bench', CONF, 'access', (method, args) => {
    if (method === 'kong.response.exit') [status] = args
    return method === 'kong.ctx.shared.get' && args[0] === REQUEST_KEY ? handed : undefined
  })
  return status
}

async function benchDenials(count: number): Promise<void> {
  const folder = temporaryFolder()
  const key = createApiKey('bench', randomBytes)
  const socket = join(folder.path, 'kong.sock')
  const server = await startKongPluginServer(folder.write('policy.yaml', policyWith(key)), socket)
  const rpc = createKongRpc({ socket, readTimeoutMs: 5000 })
  let denied = 0
  async function lane(until: number): Promise<void> {
    while (denied < until) {
      const n = denied++
      const { status, target, shows } = KINDS[n % KINDS.length] as (typeof KINDS)[number]
      const answered = await statusOf(rpc, handedOver(n, target, shows(key)))
      if (answered !== status) throw new Error(`request ${n} was answered ${answered}, not ${status}`)
    }
  }
  try {
    // uses up the hour's only request
    await statusOf(rpc, handedOver(count, '/v1/orders/7', { 'x-api-key': key }))
    for (const [index, part] of PARTS.entries()) {
      await Promise.all(Array.from({ length: LANES }, () => lane(part * count)))
      await sleep(FORGOTTEN_MS)
      // what is over is given up when something else is to be remembered
      await statusOf(rpc, handedOver(count + 1 + index, '/v1/orders/7', { 'x-api-key': key }))
      const { heapBytes, rssBytes } = await server.ask('memory')
      const [heap, resident] = [heapBytes, rssBytes].map((bytes) => (bytes / MEGABYTE).toFixed(1))
      process.stdout.write(`${String(denied).padStart(9)} denied: heap ${heap} MB, resident set ${resident} MB\n`)
    }
  } finally {
    rpc.close()
    await server.stop()
    folder.remove()
  }
}

const [count = DENIALS] = process.argv.slice(2).map(Number)
process.stdout.write(
  `${machineText()}\n\nkong-plugin-server, memory when what is remembered is over, after a garbage collection\n`,
)
await benchDenials(count)
