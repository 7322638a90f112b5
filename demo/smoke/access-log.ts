/** Envoy's access log: the agreed fields, the tenant, and no query. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Stack } from '../stack.ts'
import { type Case, eventually } from './case.ts'
import { key } from './credentials.ts'
import { type Ask, exchange } from './exchange.ts'

const FIELDS = [
  'requestId time method path statusCode latencyMs backendLatencyMs clientIp userAgent tenant plan user credential',
  'route decision reason shadow upstream variant flagReason remaining backend backendCluster bytesIn bytesOut',
]

/** The line of one request, found by its id. */
async function lineOf({ port, accessLog }: Stack, ask: Ask): Promise<Record<string, unknown>> {
  const { headers } = await exchange(port, ask)
  const id = headers['x-request-id'] ?? 'no id'
  const find = () => accessLog.find((line) => line.includes(id))
  await eventually('the access log line', async () => find() !== undefined)
  return JSON.parse(find() ?? '{}')
}

export const accessLogCases: readonly Case[] = [
  {
    name: 'an allowed request is logged with the agreed fields, without its query',
    async check(demo) {
      const headers = { ...key(demo, 'acme'), 'user-agent': 'smoke' }
      const line = await lineOf(demo, { path: '/v1/orders/1?token=secret', headers })
      deepEqual(Object.keys(line).sort(), FIELDS.join(' ').split(' ').sort())
      const { path, tenant, plan, credential, route, decision, reason, upstream, variant, userAgent, clientIp } = line
      equal(line.backendCluster, 'orders-beta')
      deepEqual(
        { path, tenant, plan, credential, route, decision, reason, upstream, variant, userAgent, clientIp },
        {
          path: '/v1/orders/1',
          tenant: 'acme',
          plan: 'pro',
          credential: 'acme-app',
          route: 'orders-read',
          decision: 'allow',
          reason: 'allowed',
          upstream: 'orders-beta',
          variant: 'beta',
          userAgent: 'smoke',
          clientIp: '127.0.0.1',
        },
      )
      for (const name of ['latencyMs', 'backendLatencyMs', 'remaining', 'bytesIn', 'bytesOut', 'statusCode']) {
        ok(typeof line[name] === 'number', `${name} is ${line[name]}`)
      }
      ok(!JSON.stringify(line).includes('secret'))
    },
  },
  {
    name: 'a refusal is logged with its reason',
    async check(demo) {
      const line = await lineOf(demo, { path: '/v1/orders/1' })
      equal(line.statusCode, 401)
      equal(line.decision, 'deny')
      equal(line.reason, 'missing_credential')
      equal(line.backend, null)
    },
  },
]
