/** What two sidecars share over a Redis: limits, revocations, tenants; and what holds while it is away. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { SharedRedis } from '../share-redis.ts'
import type { Stack } from '../stack.ts'
import { type Case, eventually } from './case.ts'
import { key } from './credentials.ts'
import { type Answer, type Ask, exchange } from './exchange.ts'

const orders = (headers: Ask['headers']): Ask => ({ path: '/v1/orders/1', ...(headers && { headers }) })
const ready = (port: number) => exchange(port, { path: '/readyz' })

/** The same request so many times at once: Envoy asks the sidecars in turn. */
const together = (port: number, count: number, ask: Ask) =>
  Promise.all(Array.from({ length: count }, () => exchange(port, ask)))

const codesOf = (answers: readonly Answer[]) => [...new Set(answers.map(({ json, status }) => json.code ?? status))]

/** Decisions with this reason, of each sidecar. */
async function decided({ httpPorts }: Stack, reason: string): Promise<number[]> {
  const line = new RegExp(`^tenantgate_decisions_total\\{[^}]*reason="${reason}"[^}]*\\} (\\d+)`, 'm')
  const pages = await Promise.all(httpPorts.map((port) => exchange(port, { path: '/metrics' })))
  return pages.map(({ body }) => Number(line.exec(body)?.[1] ?? 0))
}

async function ofBoth(stack: Stack, reason: string): Promise<void> {
  const counts = await decided(stack, reason)
  ok(counts.length === 2 && counts.every((count) => count > 0), `${reason} by the sidecars: ${counts}`)
}

export function sharedCases(redis: SharedRedis): readonly Case[] {
  return [
    {
      name: '60 at once on a burst of three, over two sidecars: three are admitted',
      async check(demo) {
        const answers = await together(demo.port, 60, { path: '/v1/search', headers: key(demo, 'initech') })
        equal(answers.filter(({ status }) => status === 200).length, 3)
        deepEqual(codesOf(answers.filter(({ status }) => status !== 200)), ['rate_limited'])
        await ofBoth(demo, 'rate_limited')
      },
    },
    {
      name: 'a key that `keys revoke --redis` has revoked is refused by both at once',
      async check(demo) {
        const ask = orders(key(demo, 'acmeReader'))
        deepEqual(codesOf(await together(demo.port, 10, ask)), [200])
        await redis.tenantgate('keys', 'revoke', '--tenant', 'acme', '--id', 'acme-reader')
        deepEqual(codesOf(await together(demo.port, 10, ask)), ['revoked_credential'])
        await ofBoth(demo, 'revoked_credential')
      },
    },
    {
      name: 'a key that `keys create --redis` has made is known to both at once',
      async check(demo) {
        const told = await redis.tenantgate(
          'keys',
          'create',
          '--tenant',
          'initech',
          '--scopes',
          'orders:read',
          '--json',
        )
        const { key: made } = JSON.parse(told) as { readonly key: string }
        deepEqual(codesOf(await together(demo.port, 10, orders({ 'x-api-key': made }))), [200])
      },
    },
    ...whileAway(redis),
  ]
}

/** Killed, asked for what was cached and what was not, and started again. */
function whileAway(redis: SharedRedis): readonly Case[] {
  return [
    {
      name: 'with Redis killed who is known goes on by the rules, and the sidecars say so',
      async check(demo) {
        deepEqual(codesOf(await together(demo.port, 10, orders(key(demo, 'acme')))), [200])
        await redis.kill()
        deepEqual(codesOf(await together(demo.port, 10, orders(key(demo, 'acme')))), [200])
        for (const port of demo.httpPorts) {
          const { status, body } = await ready(port)
          equal(status, 200, body)
          match(body, /^ready, degraded: /)
        }
      },
    },
    {
      name: 'who was revoked stays so, and who is not known is 503, not refused and not let in',
      async check(demo) {
        deepEqual(codesOf(await together(demo.port, 10, orders(key(demo, 'acmeReader')))), ['revoked_credential'])
        const unknown = { 'x-api-key': 'a-key-that-nobody-has-asked-about' }
        deepEqual(codesOf(await together(demo.port, 10, orders(unknown))), ['dependency_unavailable'])
      },
    },
    {
      name: 'Redis is started again, and all is well by itself',
      async check(demo) {
        await redis.startAgain()
        for (const port of demo.httpPorts) {
          await eventually('ready without more words', async () => (await ready(port)).body === 'ready\n')
        }
        deepEqual(codesOf(await together(demo.port, 10, orders(key(demo, 'acme')))), [200])
        deepEqual(codesOf(await together(demo.port, 10, orders(key(demo, 'acmeReader')))), ['revoked_credential'])
      },
    },
  ]
}
