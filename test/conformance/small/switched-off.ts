/** Flags that an operator has switched off (F3): everybody gets the default, also who may choose, and no backend is told. */
import { randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../../../core/credentials/api-key.ts'
import { policyOf } from '../../support/gate.ts'
import { reaches, type Topic } from '../case.ts'
import type { UnderTest } from '../gateway.ts'

const flag = (variants: Readonly<Record<string, unknown>>, defaultVariant: string) => ({
  state: 'ENABLED',
  variants,
  defaultVariant,
})

const CANARY = { stable: 'orders-stable', canary: 'orders-canary' }

const FLAGS = JSON.stringify({
  flags: {
    running: flag(CANARY, 'canary'),
    stopped: flag(CANARY, 'canary'),
    'stopped-checkout': flag({ on: true, off: false }, 'on'),
    checkout: flag({ on: { colour: 'blue', note: 'größer' }, off: {} }, 'on'),
  },
})

const text = (hash: string) => `version: 1
identity:
  headers: { x-tenantgate-stopped: "flag:stopped-checkout", x-tenantgate-checkout: "flag:checkout" }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, apiKeys: [{ id: app, hash: "${hash}", roles: [tester] }] } }
upstreams: [orders-stable, orders-canary]
routes:
  - { name: running, match: { path: /running }, upstream: { default: orders-stable, flag: running } }
  - { name: stopped, match: { path: /stopped }, upstream: { default: orders-stable, flag: stopped } }
flags: { file: flags.json, override: { header: x-choose, anyRole: [tester] } }
`

/** The switches stand as somebody has left them before. */
export async function switchedOff(): Promise<UnderTest> {
  const key = createApiKey('test', randomBytes)
  return {
    policy: policyOf(text(storedHash(key)), { 'flags.json': FLAGS }),
    credentials: { key },
    parts: { switches: { isOff: (name) => name.startsWith('stopped') } },
  }
}

const TESTER = { 'x-tenant-id': 'acme', 'x-tenant-plan': 'free', 'x-user-roles': 'tester' }

const row = (name: string, path: string, headers: readonly string[], upstream: string, variant: string | null) => ({
  shows: 'F3',
  name,
  request: { path, headers: ['X-Api-Key: <key>', ...headers] },
  expect: reaches(upstream, TESTER, {
    headers: {
      'x-choose': null,
      'x-tenantgate-variant': variant,
      'x-tenantgate-stopped': null,
      'x-tenantgate-checkout': '{"colour":"blue","note":"gr\\u00f6\\u00dfer"}',
    },
  }),
})

export const switchedOffTopics: readonly Topic[] = [
  {
    title: 'flags that are switched off',
    cases: [
      row('one that runs gives its variant', '/running', [], 'orders-canary', 'canary'),
      row('one that is off gives the default of the route', '/stopped', [], 'orders-stable', null),
      row('the switch beats who may choose', '/stopped', ['X-Choose: stopped=canary'], 'orders-stable', null),
      row(
        'and what a client says itself',
        '/stopped',
        ['X-Tenantgate-Variant: canary', 'X_Tenantgate_Upstream: orders-canary', 'X-Tenantgate-Stopped: true'],
        'orders-stable',
        null,
      ),
      row(
        'of one that is off the backend is told nothing, whoever chooses',
        '/running',
        ['X-Choose: stopped-checkout=on'],
        'orders-canary',
        'canary',
      ),
    ],
  },
]
