/** CPU per warm decision, and per stage of it. */
import { refusedRights } from '../core/authorization/authorize.ts'
import { authenticate, type Credentials, createCredentials } from '../core/credentials/authenticate.ts'
import type { Principal } from '../core/credentials/principal.ts'
import { isRefusal } from '../core/credentials/verdict.ts'
import { decide, type Given } from '../core/decide.ts'
import { askFlags } from '../core/flags/ask-flags.ts'
import { createFlags } from '../core/flags/evaluate.ts'
import { takeInTurn } from '../core/limits/throttle.ts'
import type { Policy, Route, Tenant } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { canonicalPath } from '../core/routes/canonical-path.ts'
import { foldHost } from '../core/routes/host.ts'
import { compilePolicy } from '../policy/compile.ts'
import { parsePolicy } from '../policy/parse.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { partsOf } from '../test/support/gate.ts'
import { measureSteps, noiseText, reference, type Step } from './measure.ts'
import { type BenchPolicy, benchPolicy } from './policies.ts'
import { gatewayRequest } from './requests.ts'
import type { Table } from './table.ts'

/** A policy and a request for it that is allowed by key and by token. */
interface Scene {
  readonly given: Given
  readonly byKey: GatewayRequest
  readonly byToken: GatewayRequest
}

export async function benchDecide(): Promise<Table> {
  const few = await sceneOf(await benchPolicy(10))
  const many = await sceneOf(await benchPolicy(1000))
  const steps = [reference(), ...wholeDecisions(few, many), ...(await stages(few, many))]
  const figures = await measureSteps(steps)
  return { title: 'decide: CPU per call', reference: 'JSON.parse of 1 kB', figures, notes: [noiseText(figures[0])] }
}

async function sceneOf({ text, files, key, token }: BenchPolicy): Promise<Scene> {
  const readFile = (path: string) => ({ text: files[path.slice(1)] ?? '' })
  const parsed = parsePolicy(text, { file: '/bench.yaml', readFile, env: {} })
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '))
  const policy = compilePolicy(parsed.parts)
  const scene = {
    given: {
      policy,
      credentials: createCredentials(policy, partsOf({ fetchKeys: noIssuer })),
      limits: createMemoryLimits(),
      flags: createFlags(policy.flags?.definition),
      now: Date.now(),
    },
    byKey: gatewayRequest({ 'x-api-key': key }),
    byToken: gatewayRequest({ authorization: `Bearer ${token}` }),
  }
  for (const request of [scene.byKey, scene.byToken]) {
    const decision = await decide(request, scene.given)
    if (decision.reason !== 'allowed') throw new Error(`the request to measure is refused: ${decision.reason}`)
  }
  return scene
}

const noIssuer = () => Promise.reject(new Error('there is no issuer to ask'))

function wholeDecisions(few: Scene, many: Scene): Step[] {
  const { given } = few
  const nothingShown = gatewayRequest({})
  return [
    { name: 'decide: API key, 3 limits, flag', call: () => decide(few.byKey, given), budget: 4 },
    { name: 'decide: RS256 token, 3 limits, flag', call: () => decide(few.byToken, given), budget: 4 },
    { name: 'decide: API key, 1,000 routes', call: () => decide(many.byKey, many.given), budget: 4 },
    { name: 'decide: refused, no credential', call: () => decide(nothingShown, given) },
  ]
}

async function stages({ given, byKey, byToken }: Scene, many: Scene): Promise<Step[]> {
  const { policy, credentials, limits, flags, now } = given
  const { route, tenant, principal } = await passedBy(byKey, given)
  const unseen: Credentials = createCredentials(policy, partsOf({ verified: { get() {}, set() {}, delete() {} } }))
  const charged = { request: byKey, route, tenant, principal }
  return [
    { name: '  key seen before', call: () => authenticate(byKey, route, policy, credentials, now), budget: 1.5 },
    { name: '  token seen before', call: () => authenticate(byToken, route, policy, credentials, now), budget: 1.5 },
    {
      name: '  first sight of a token, RS256',
      call: () => authenticate(byToken, route, policy, unseen, now),
      budget: 50,
    },
    { name: '  path, route, rights: 10 routes', call: () => opened(byKey, policy, principal), budget: 1 },
    { name: '  path, route, rights: 1,000 routes', call: () => opened(byKey, many.given.policy, principal), budget: 1 },
    { name: '  three limits, in memory', call: () => takeInTurn(charged, { limits }, now, true), budget: 0.5 },
    { name: '  flag', call: () => askFlags(charged, policy, flags, now), budget: 0.5 },
  ]
}

/** What the stages before the limits find out about a request. */
async function passedBy(
  request: GatewayRequest,
  { policy, credentials, now }: Given,
): Promise<{ route: Route; tenant: Tenant; principal: Principal }> {
  const route = routeOf(request, policy)
  const proof = await authenticate(request, route, policy, credentials, now)
  const { principal, tenant } = (isRefusal(proof) ? undefined : proof[0]) ?? {}
  if (!route || !principal || !tenant) throw new Error('the request to measure is refused')
  return { route, tenant, principal }
}

function opened(request: GatewayRequest, policy: Policy, principal: Principal): unknown {
  const route = routeOf(request, policy)
  return route && refusedRights(route, principal)
}

function routeOf({ host, method, path }: GatewayRequest, { routes }: Policy): Route | undefined {
  const found = routes.match(foldHost(host) ?? '', method, canonicalPath(path) ?? '')
  return typeof found === 'object' ? found : undefined
}
