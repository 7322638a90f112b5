/** `serve` over a real Redis: what it gives back and writes when it ends, and ShouldRateLimit over several. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkOf, createClient, hitsOf } from '../ext-authz/client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { createFolder, type Folder, policyText, run, type Serving, serve } from './serving.ts'

let redis: RedisServer
let folder: Folder
const started: Serving[] = []
const url = () => `${redis.url}?prefix=${redis.place.prefix}`

/** Each limit is of a year: only a test over New Year's midnight, in UTC, sees two windows. */
function writePolicy(lease: string): void {
  const text = policyText(folder.key).replace('1000000/day', '10000/year')
  folder.writePolicy(`${text}state: { store: "${url()}", timeout: 1s, lookupTimeout: 1s, lease: ${lease} }\n`)
}

async function start(...args: string[]): Promise<Serving> {
  const serving = await serve([
    '--policy',
    folder.policyFile,
    '--listen',
    '127.0.0.1:0',
    '--http',
    '127.0.0.1:0',
    ...args,
  ])
  started.push(serving)
  return serving
}

beforeEach(async () => {
  redis = await startRedis({ own: true })
  folder = createFolder()
})

afterEach(async () => {
  for (const serving of started.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  await redis.stop()
  folder.remove()
})

const ORDERS = { path: '/v1/orders/1' }

/** What is left of the limit after so many Checks, one after the other in tens. */
async function leftAfter({ grpc }: Serving, count: number): Promise<number> {
  const client = createClient(grpc[0] ?? '')
  const ask = () => client.check(checkOf({ ...ORDERS, headers: { 'x-api-key': folder.key } }))
  for (let done = 0; done < count - 1; done += 10)
    await Promise.all(Array.from({ length: Math.min(10, count - 1 - done) }, ask))
  const answer = JSON.stringify(await ask())
  client.close()
  return Number(/"x-ratelimit-remaining","value":"(\d+)"/.exec(answer)?.[1])
}

const metric = async ({ http }: Serving, name: string) => {
  const text = await (await fetch(`${http}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )
}

it('at SIGTERM gives back what was drawn ahead, and writes what was used', async () => {
  writePolicy('5s')
  const first = await start()
  await leftAfter(first, 300)
  expect(await metric(first, 'tenantgate_lease_units_total{fate="granted"}')).toBeGreaterThan(0)
  first.signal('SIGTERM')
  expect(await first.exit).toBe(0)
  const next = await start()
  expect(await leftAfter(next, 1)).toBe(10_000 - 301)
  const told = await run(['usage', '--tenant', 'acme', '--redis', url(), '--json'])
  const { lines }: { lines: { outcome: string; count: number }[] } = JSON.parse(told.stdout)
  const allowed = lines.filter(({ outcome }) => outcome === 'allowed').map(({ count }) => count)
  expect(allowed.reduce((sum, count) => sum + count, 0)).toBe(300)
})

it('at SIGTERM with Redis away it ends within its bound all the same, and says what was not written', async () => {
  writePolicy('100ms')
  const serving = await start('--drain-timeout', '300ms')
  await leftAfter(serving, 20)
  await redis.kill()
  serving.signal('SIGTERM')
  expect(await serving.exit).toBe(0)
  expect(await serving.line('decisions that were not written as usage before the end')).toMatchObject({ decisions: 20 })
})

it('two instances count ShouldRateLimit together; without Redis the caller is told, and only the policy has rules', async () => {
  writePolicy('100ms')
  const limits = join(folder.path, 'limits')
  mkdirSync(limits)
  const limit = 'rate_limit: { unit: year, requests_per_unit: 5 }'
  writeFileSync(join(limits, 'edge.yaml'), `domain: edge\ndescriptors: [{ key: tenant, ${limit} }]\n`)
  const both = await Promise.all([start('--ratelimit-config', limits), start('--ratelimit-config', limits)])
  const clients = both.map(({ grpc }) => createClient(grpc[0] ?? ''))
  const hit = hitsOf('edge', { tenant: 'acme' })
  const answers = await Promise.all(Array.from({ length: 400 }, (_, i) => clients[i % 2]?.shouldRateLimit(hit)))
  expect(answers.filter((answer) => answer?.overallCode === 1)).toHaveLength(5)

  const ofPolicy = hitsOf('tenantgate', { tenant: 'acme' })
  expect((await clients[0]?.shouldRateLimit(ofPolicy))?.overallCode).toBe(1)
  await redis.kill()
  await expect(clients[0]?.shouldRateLimit(hit)).rejects.toMatchObject({ code: status.UNAVAILABLE })
  expect((await clients[0]?.shouldRateLimit(ofPolicy))?.overallCode).toBe(1)
  for (const client of clients) client.close()
  const [first] = both
  expect(first && (await metric(first, 'tenantgate_ratelimit_requests_total{domain="edge",code="unavailable"}'))).toBe(
    1,
  )
  expect(first && (await metric(first, 'tenantgate_faults_total'))).toBe(0)
})
