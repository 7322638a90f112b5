/** Administration over HTTP, on this machine alone: `/v1/…`, JSON in and out, a token on every request, every change told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Answer, type Code, problem, send } from './answer.ts'
import { readBody, readValue } from './body.ts'
import { type Call, callOf } from './call.ts'
import { createEntrance } from './entrance.ts'
import { issueKey, keysQuery, listKeys, newKey, revokeKey, rotateKey, rotation } from './keys.ts'
import type { AdminParts } from './parts.ts'
import { listRevocations, revocation, revocationsQuery, revoke } from './revocations.ts'
import { credentialId, tenantId } from './words.ts'

interface Asked {
  readonly request: IncomingMessage
  readonly query: Readonly<Record<string, string>>
  /** The names in the path, checked. */
  readonly names: readonly string[]
}

interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `{tenant}` and `{id}` stand for names. */
  readonly path: string
  /** How audits name it; what changes nothing has none. */
  readonly action?: string
  run(asked: Asked, parts: AdminParts, target: Target): Promise<Answer>
}

/** What a change is about, told to audits: filled in as it becomes known. */
type Target = Record<string, string>

const ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/v1/keys',
    async run({ query }, parts) {
      const read = readValue(query, keysQuery)
      return read.ok ? listKeys(read.value, parts) : read
    },
  },
  {
    method: 'POST',
    path: '/v1/tenants/{tenant}/keys',
    action: 'key_issued',
    async run({ request, names: [tenant = ''] }, parts, target) {
      const read = await readBody(request, newKey)
      if (!read.ok) return read
      const answer = await issueKey(tenant, read.value, parts)
      const id = answer.ok ? answer.body.id : read.value.id
      if (typeof id === 'string') target.id = id
      return answer
    },
  },
  {
    method: 'POST',
    path: '/v1/tenants/{tenant}/keys/{id}/rotate',
    action: 'key_rotated',
    async run({ request, names: [tenant = '', id = ''] }, parts) {
      const read = await readBody(request, rotation)
      return read.ok ? rotateKey(tenant, id, read.value, parts) : read
    },
  },
  {
    method: 'DELETE',
    path: '/v1/tenants/{tenant}/keys/{id}',
    action: 'key_revoked',
    run: async ({ names: [tenant = '', id = ''] }, parts) => revokeKey(tenant, id, parts),
  },
  {
    method: 'GET',
    path: '/v1/revocations',
    async run({ query }, parts) {
      const read = readValue(query, revocationsQuery)
      return read.ok ? listRevocations(read.value, parts) : read
    },
  },
  {
    method: 'POST',
    path: '/v1/revocations',
    action: 'revoked',
    async run({ request }, parts, target) {
      const read = await readBody(request, revocation)
      if (!read.ok) return read
      const { before, ...names } = read.value as typeof read.value & { before?: number }
      Object.assign(target, names, before !== undefined && { before: new Date(before).toISOString() })
      return revoke(read.value, parts)
    },
  },
]

/** Milliseconds. Those who ask are near: a client that says nothing gives its place to others soon. */
const TIMES = {
  requestTimeout: 5_000,
  headersTimeout: 1_000,
  keepAliveTimeout: 1_000,
  connectionsCheckingInterval: 250,
}
/** A place costs some kB: whoever means to take them all has to come back for all of them each second. */
const MOST_CONNECTIONS = 1024

/** A server that is not listening yet; only ever on a loopback address or a Unix socket. */
export function createAdminServer(parts: AdminParts): Server {
  const entrance = createEntrance(parts.token, parts.now)
  const server = createServer(TIMES)
  server.maxConnections = MOST_CONNECTIONS
  server.on('request', (request, response) => {
    const call = callOf(request, parts.randomBytes)
    const refused = entrance.refusal(request)
    if (refused?.isTold) tell('authenticate', {}, refused.problem, call)
    if (refused) send(response, refused.problem, call.requestId)
    else void serve(request, response, call)
  })

  async function serve(request: IncomingMessage, response: ServerResponse, call: Call): Promise<void> {
    const { requestId } = call
    const { pathname, query } = targetOf(request.url ?? '')
    const there = ENDPOINTS.flatMap((endpoint) => {
      const names = namesIn(pathname, endpoint.path)
      return names ? [{ endpoint, names }] : []
    })
    const found = there.find(({ endpoint: { method } }) => method === request.method)
    if (!found || !query) {
      const allow = there.map(({ endpoint: { method } }) => method).join(', ')
      if (there.length === 0) return send(response, problem('not_found', 'There is nothing here.'), requestId)
      if (!found) return send(response, problem('method_not_allowed', `Only ${allow}.`), requestId, { allow })
      return send(response, problem('malformed', 'A parameter stands in the query twice.'), requestId)
    }
    const { endpoint, names } = found
    const target: Target = { ...(names[0] && { tenant: names[0] }), ...(names[1] && { id: names[1] }) }
    const answer = await endpoint.run({ request, query, names }, parts, target).catch((fault) => {
      // a client that has gone away in the middle of its body is none of our faults, and is told nothing
      if (!request.errored) parts.onFault(fault)
      return problem('broken', 'This is a fault of the server.')
    })
    if (endpoint.action) tell(endpoint.action, target, answer, call)
    send(response, answer, requestId)
  }

  function tell(action: string, target: Target, answer: Answer, { actor, ...call }: Call): void {
    const outcome = answer.ok ? 'done' : FAILURES.has(answer.code) ? 'failed' : 'refused'
    const reason = answer.ok ? undefined : answer.code
    parts.onEvent({ action, outcome, ...call, target, ...(actor && { actor }), ...(reason && { reason }) })
  }

  return server
}

/** What is no fault of the client's. */
const FAILURES: ReadonlySet<Code> = new Set(['not_recorded', 'broken'])

/** The path as it stands there, and the parameters; no parameters where one comes twice. */
function targetOf(url: string) {
  const [pathname = '', search = ''] = url.split('?', 2)
  const entries = [...new URLSearchParams(search)]
  const isTwice = new Set(entries.map(([name]) => name)).size < entries.length
  return { pathname, query: isTwice ? undefined : Object.fromEntries(entries) }
}

/** The names in the path where it is of the pattern. Names need no escapes, so what has some is of none. */
function namesIn(pathname: string, pattern: string): readonly string[] | undefined {
  const given = pathname.split('/')
  const wanted = pattern.split('/')
  if (given.length !== wanted.length) return undefined
  const names: string[] = []
  for (const [index, segment] of wanted.entries()) {
    const text = given[index] ?? ''
    if (!segment.startsWith('{')) {
      if (segment !== text) return undefined
      continue
    }
    const { success } = (segment === '{tenant}' ? tenantId : credentialId).safeParse(text)
    if (!success) return undefined
    names.push(text)
  }
  return names
}
