/** The sidecar is killed: Envoy refuses, and goes on by itself when the sidecar is back. */
import { equal, match, ok } from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { asks, type Case, eventually } from './case.ts'
import { key } from './credentials.ts'
import { exchange } from './exchange.ts'
import { callError } from './grpc.ts'

export const outageCases: readonly Case[] = [
  {
    name: 'the sidecar is ready, and counts decisions',
    async check({ httpPort }) {
      equal((await exchange(httpPort, { path: '/readyz' })).status, 200)
      const { body } = await exchange(httpPort, { path: '/metrics' })
      ok(/^tenantgate_decisions_total\{[^}]*decision="deny"[^}]*\} [1-9]/m.test(body), 'no count of denials')
    },
  },
  {
    name: 'with the sidecar killed Envoy answers 503 and no backend is reached',
    async check(demo) {
      await demo.killSidecar()
      for (const path of ['/v1/orders/1', '/healthz', '/v1/admin/x']) {
        const answer = await exchange(demo.port, { path, headers: key(demo, 'initech') })
        equal(answer.status, 503)
        equal(answer.backend, undefined)
        equal(answer.json.code, 'dependency_unavailable', answer.body)
        equal(answer.headers['content-type'], 'application/problem+json')
        equal(answer.json.requestId, answer.headers['x-request-id'])
      }
    },
  },
  {
    name: 'and a gRPC client gets UNAVAILABLE, with a line that it can show',
    async check({ port }) {
      const error = await callError(port, '/orders.v1.Orders/List')
      equal(error?.code, status.UNAVAILABLE, String(error))
      match(error?.details ?? '', /^the gateway could not complete the request \([0-9a-f-]{36}\)$/)
    },
  },
  {
    name: 'the sidecar is started again, and Envoy goes on without being touched',
    async check(demo) {
      await demo.startSidecar()
      const ask = { path: '/v1/orders/1', headers: key(demo, 'initech') }
      await eventually('the answer', async () => (await exchange(demo.port, ask)).status === 200)
    },
  },
  asks(
    'the refusals are back too',
    { path: '/v1/orders/1' },
    { status: 401, code: 'missing_credential', from: 'none' },
  ),
]
