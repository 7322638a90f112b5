/** Administration over HTTP, on this machine alone: `/v1/…`, JSON in and out, a token on every request, every change told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Answer, type Code, problem, send } from './answer.ts'
import { type Call, callOf } from './call.ts'
import { ENDPOINTS, NAMES, type Names, type Target } from './endpoints.ts'
import { createEntrance } from './entrance.ts'
import type { AdminParts, ServerParts } from './parts.ts'
import { createPlaces } from './places.ts'
import { StoreAway } from './store-away.ts'

/** Milliseconds. Those who ask are near: a client that says nothing gives its place to others soon. */
const TIMES = {
  requestTimeout: 5_000,
  headersTimeout: 1_000,
  keepAliveTimeout: 1_000,
  connectionsCheckingInterval: 250,
}
/** A place costs some kB: whoever means to take them all has to come back for all of them each second. */
const MOST_CONNECTIONS = 1024
/** Questions about all flags: each has a slice of every turn of the event loop. */
const MOST_BULK = 2
const MOST_BULK_WAITING = 64

/** A server that is not listening yet; only ever on a loopback address or a Unix socket. */
export function createAdminServer(given: AdminParts): Server {
  const parts: ServerParts = { ...given, inPlace: createPlaces(MOST_BULK, MOST_BULK_WAITING) }
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
    const target: Target = { ...names }
    const answer = await endpoint.run({ request, query, names }, parts, target).catch((fault) => {
      if (fault instanceof StoreAway) return problem('store_unavailable', fault.message)
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
const FAILURES: ReadonlySet<Code> = new Set(['not_recorded', 'store_unavailable', 'broken'])

/** The path as it stands there, and the parameters; no parameters where one comes twice. */
function targetOf(url: string) {
  const [pathname = '', search = ''] = url.split('?', 2)
  const entries = [...new URLSearchParams(search)]
  const isTwice = new Set(entries.map(([name]) => name)).size < entries.length
  return { pathname, query: isTwice ? undefined : Object.fromEntries(entries) }
}

/** The names in the path where it is of the pattern. */
function namesIn(pathname: string, pattern: string): Names | undefined {
  const given = pathname.split('/')
  const wanted = pattern.split('/')
  if (given.length !== wanted.length) return undefined
  const names: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const text = given[index] ?? ''
    if (!segment.startsWith('{')) {
      if (segment !== text) return undefined
      continue
    }
    const name = segment.slice(1, -1) as keyof typeof NAMES
    const read = NAMES[name].safeParse(text)
    if (!read.success) return undefined
    names[name] = read.data
  }
  return names
}
