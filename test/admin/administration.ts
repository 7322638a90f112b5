/** The administration on a real socket, over a policy of the test, at a time of the test. */
import { randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdminServer } from '../../admin/server.ts'
import type { AdminEvent } from '../../core/admin-event.ts'
import { createCredentials } from '../../core/credentials/authenticate.ts'
import type { Ledger } from '../../core/credentials/records.ts'
import { decide } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import { explained } from '../../core/explained.ts'
import { createFlags } from '../../core/flags/evaluate.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import { lookOnly } from '../../core/limits/look-only.ts'
import type { Policy, TenantDirectory } from '../../core/policy.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { nearest } from '../../policy/nearest.ts'
import { createKeyUses } from '../../stores/key-uses.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createMemoryLedger } from '../../stores/records/memory-ledger.ts'
import type { UsageKeeper } from '../../stores/usage/keeper.ts'
import { createKeptUsage, type KeptUsage } from '../../stores/usage/kept-usage.ts'
import { createMemoryKeeper } from '../../stores/usage/memory-keeper.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../support/gate.ts'

export const TOKEN = randomBytes(32).toString('hex')

export interface Told {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface Administration {
  readonly port: number
  /** A key of acme that stands in the policy as `ci`. */
  readonly key: string
  readonly events: AdminEvent[]
  readonly faults: unknown[]
  readonly ledger: Ledger
  readonly limits: LimitStore
  readonly usage: KeptUsage
  /** ms since the epoch; settable. */
  readonly clock: { now: number }
  /** With the token, unless other headers are given; `body` as JSON, or a text as it is. */
  ask(method: string, path: string, body?: unknown, headers?: OutgoingHttpHeaders): Promise<Told>
  /** What the gate says of this key now. */
  use(key: string, more?: Partial<GatewayRequest>): Promise<Decision>
  close(): void
}

const policyText = (hash: string, scopes: readonly string[]) =>
  `version: 1
plans: { pro: { limits: [{ name: daily, quota: 3/day }] } }
tenants:
  acme: { plan: pro, apiKeys: [{ id: ci, hash: "${hash}", scopes: ${JSON.stringify(scopes)}, roles: [reader] }] }
  globex: { plan: pro, aliases: [globex-old] }
issuers:
  - { issuer: https://id.example, secret: { env: SECRET }, audiences: [orders], algorithms: [HS256], claims: { tenant: org } }
  - { issuer: https://globex.example, secret: { env: SECRET }, audiences: [orders], algorithms: [HS256], clockSkew: 2m, tenants: [globex] }
routes: [{ name: all, match: { path: /** }, require: { scopes: [orders:read] } }]
`.replaceAll('{ env: SECRET }', '{ file: secret }')

interface More {
  /** In the place of the usual policy: its text, with the hash of the key that stands in it. */
  readonly policy?: (hash: string) => string
  readonly ledger?: Ledger
  readonly keeper?: UsageKeeper
  readonly limits?: LimitStore
  /** In the place of the policy's own. */
  readonly directory?: (own: TenantDirectory) => TenantDirectory
  /** Of the file `flags.json`, where the policy names one. */
  readonly flags?: object
  /** Of the key that stands in the policy. */
  readonly scopes?: readonly string[]
}

export async function administration(more: More = {}): Promise<Administration> {
  const { key, hash } = newKey()
  const plain = policyOf(more.policy?.(hash) ?? policyText(hash, more.scopes ?? ['orders:read']), {
    secret: 'k'.repeat(64),
    'flags.json': JSON.stringify(more.flags ?? {}),
  })
  const policy: Policy = { ...plain, directory: more.directory?.(plain.directory) ?? plain.directory }
  const ledger = more.ledger ?? createMemoryLedger()
  const uses = createKeyUses()
  const clock = { now: NOON }
  const events: AdminEvent[] = []
  const faults: unknown[] = []
  const usage = createKeptUsage(more.keeper ?? createMemoryKeeper(), { now: () => clock.now })
  const given = {
    policy,
    credentials: createCredentials(policy, partsOf({ records: ledger.records, uses })),
    limits: more.limits ?? createMemoryLimits(),
    flags: createFlags(policy.flags?.definition, ledger.switches),
  }
  const server = createAdminServer({
    token: TOKEN,
    policy: () => policy,
    flags: () => given.flags,
    ledger,
    lastUsed: uses.lastUsed,
    limits: given.limits,
    usage,
    explain: (request) => explained(request, { ...given, limits: lookOnly(given.limits), now: clock.now }, 'live'),
    nearest,
    randomBytes,
    now: () => clock.now,
    onEvent: (event) => void events.push(event),
    onFault: (fault) => void faults.push(fault),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    key,
    events,
    faults,
    ledger,
    limits: given.limits,
    usage,
    clock,
    ask: (method, path, body, headers) => ask(port, method, path, body, headers),
    use: async (used, { headers, ...request } = {}) =>
      decide(requestOf({ ...request, headers: { 'x-api-key': used, ...headers } }), { ...given, now: clock.now }),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function ask(
  port: number,
  method: string,
  path: string,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): Promise<Told> {
  const json = { authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'content-type': 'application/json' }) }
  const options = { port, host: '127.0.0.1', method, path, headers: { ...json, ...headers }, agent: false as const }
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: JSON.parse(text || '{}') }),
      )
    })
    sent.on('error', reject)
    sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
  })
}
