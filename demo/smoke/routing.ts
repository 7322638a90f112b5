/** Flags choose the backend. */
import { equal, match } from 'node:assert/strict'
import { flagsCommand } from '../examples.ts'
import { commandLine, plainEnvironment } from '../run-sidecar.ts'
import { runToEnd } from '../run-to-end.ts'
import { asks, type Case } from './case.ts'
import { bearer, key } from './credentials.ts'
import { exchange } from './exchange.ts'

export const routingCases: readonly Case[] = [
  asks('a beta tenant reaches orders-beta, by key', (demo) => ({ path: '/v1/orders/1', headers: key(demo, 'acme') }), {
    status: 200,
    from: 'orders-beta',
    atBackend: { 'x-tenantgate-upstream': 'orders-beta', 'x-tenantgate-variant': 'beta' },
  }),
  asks(
    'a beta tenant reaches orders-beta, by token',
    (demo) => ({ path: '/v1/orders/1', headers: bearer(demo, 'acme') }),
    {
      status: 200,
      from: 'orders-beta',
    },
  ),
  asks('another tenant reaches orders-stable', (demo) => ({ path: '/v1/orders/1', headers: key(demo, 'initech') }), {
    status: 200,
    from: 'orders-stable',
  }),
  {
    name: 'the printed `flags evaluate` tells that acme gets the beta, and why',
    async check(demo) {
      const told = await runToEnd(process.execPath, [commandLine, ...flagsCommand(demo)], { env: plainEnvironment() })
      match(told ?? '(it failed)', /^orders-backend +beta +orders-beta +TARGETING_MATCH/m)
    },
  },
  {
    name: 'a tenant stays where the rollout has put it',
    async check(demo) {
      for (let i = 0; i < 10; i++) {
        const answer = await exchange(demo.port, { path: `/v1/orders/${i}`, headers: bearer(demo, 'initech') })
        equal(answer.backend?.backend, 'orders-stable')
      }
    },
  },
]
