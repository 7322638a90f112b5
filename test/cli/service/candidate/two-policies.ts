/** A live policy and a candidate that tightens it, and requests of all kinds to ask both. */
import type { Decision } from '../../../../core/decision.ts'
import type { GatewayRequest } from '../../../../core/request.ts'
import { newKey, policyOf, requestOf } from '../../../support/gate.ts'
import type { Clock } from '../../../support/side-by-side.ts'

export const [reader, writer, globex] = [newKey(), newKey(), newKey()]

interface Rules {
  readonly write?: string
  readonly daily?: number
  readonly burst?: number
  readonly extra?: string
}

export const policy = ({ write = 'orders:write', daily = 40, burst = 8, extra = '' }: Rules = {}) =>
  policyOf(`
version: 1
identity: { failedCredentials: { rate: 1/m, burst: 3 } }
plans:
  pro: { limits: [{ name: daily, quota: ${daily}/day }, { name: burst, rate: 2/s, burst: ${burst} }] }
tenants:
  acme:
    plan: pro
    apiKeys:
      - { id: reader, hash: "${reader.hash}", scopes: [orders:read] }
      - { id: writer, hash: "${writer.hash}", scopes: [orders:read, orders:write, orders:admin] }
  globex: { plan: pro, apiKeys: [{ id: globex, hash: "${globex.hash}", scopes: [orders:read, orders:write] }] }
upstreams: [stable, other]
routes:
  - { name: health, match: { path: /healthz }, anonymous: true }
  - { name: read, match: { path: /orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: { default: stable } }
  - { name: write, match: { path: /orders/**, methods: [POST] }, require: { scopes: [${write}] }, cost: 2 }
${extra}`)

export const LIVE = policy()
/** One scope is tightened, and both limits are halved. */
export const TIGHTER = policy({ write: 'orders:admin', daily: 20, burst: 4 })

export const get = (key: string, more: Partial<GatewayRequest> = {}) =>
  requestOf({ path: '/orders/1', headers: { 'x-api-key': key }, ...more })

export const GUESS = get('guessed', { clientAddress: '198.51.100.9' })

/** A table of all kinds, more than any limit admits, in an order that mixes them. */
export function table(): readonly GatewayRequest[] {
  const row = [
    get(reader.key),
    get(writer.key, { method: 'POST' }),
    get(globex.key, { method: 'POST' }),
    get(globex.key),
    get(reader.key, { method: 'POST' }),
    requestOf({ path: '/orders/1' }),
    requestOf({ path: '/healthz' }),
    get(reader.key, { path: '/nowhere' }),
    GUESS,
    get(writer.key, { path: '/orders/../x' }),
    get(writer.key),
  ]
  return Array.from({ length: 25 }, () => row)
    .flat()
    .map((request, i) => ({ ...request, id: `r-${i}` }))
}

/** 40 ms between two requests: bursts run out, and fill again. */
export async function each(
  requests: readonly GatewayRequest[],
  clock: Clock,
  ask: (request: GatewayRequest) => unknown,
) {
  const answers: Decision[] = []
  for (const request of requests) {
    clock.now += 40
    answers.push((await ask(request)) as Decision)
  }
  return answers
}
