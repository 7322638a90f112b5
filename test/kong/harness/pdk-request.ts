/** One request within Kong, as plugins without a guard see it through the PDK, and what they have made of it. */
import { randomUUID } from 'node:crypto'
import type { SentRequest } from '../../conformance/raw-http.ts'
import type { CallPdk } from './msgpack-client.ts'

export interface PdkRequest {
  readonly call: CallPdk
  /** As they are now, in the order and the spelling that they would be sent on in. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Of the answer to come. */
  readonly answer: Readonly<Record<string, string>>
  readonly exited:
    | { readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>> }
    | undefined
  readonly upstream: string | undefined
  readonly authenticated: unknown
  /** How often each function was called. */
  readonly calls: readonly string[]
}

/** Kong gives a plugin this many header lines and hides the others. */
const MOST_HEADERS = 1000

/** A request as it came off the wire; the correlation-id plugin has run before. */
export function createPdkRequest({ method, path, lines, from }: SentRequest, upstreams: ReadonlySet<string>) {
  let headers = lines.map(splitLine)
  const requestId = headers.find(([name]) => name.toLowerCase() === 'x-request-id')?.[1] ?? randomUUID()
  if (!headers.some(([name]) => name.toLowerCase() === 'x-request-id')) headers.push(['X-Request-ID', requestId])
  const variables: Readonly<Record<string, string>> = {
    request: `${method} ${utf8(path)} HTTP/1.1`,
    remote_addr: from,
    kong_request_id: randomUUID().replaceAll('-', ''),
  }
  const shared = new Map<unknown, unknown>()
  const state = {
    calls: [] as string[],
    answer: { 'x-request-id': requestId } as Record<string, string>,
    exited: undefined as PdkRequest['exited'],
    upstream: undefined as string | undefined,
    authenticated: undefined as unknown,
  }

  function setHeader(name: string, value: unknown): void {
    headers = headers.filter(([own]) => own.toLowerCase() !== name.toLowerCase())
    for (const one of Array.isArray(value) ? value : [value]) headers.push([name, String(one)])
  }

  const functions: Readonly<Record<string, (...args: never[]) => unknown>> = {
    'kong.ctx.shared.get': (key: string) => shared.get(key),
    'kong.ctx.shared.set': (key: string, value: unknown) => void shared.set(key, value),
    'kong.nginx.get_var': (name: string) => variables[name],
    'kong.request.get_headers': (most = 100) => multiMap(headers.slice(0, Math.min(most, MOST_HEADERS))),
    'kong.service.request.set_headers': (all: Record<string, unknown>) => {
      for (const [name, value] of Object.entries(all)) setHeader(name, value)
    },
    'kong.service.set_upstream': (name: string) => {
      if (!upstreams.has(name)) return undefined
      state.upstream = name
      return true
    },
    'kong.client.authenticate': (...both: unknown[]) => {
      state.authenticated = both
    },
    'kong.response.set_headers': (all: Record<string, string>) => {
      for (const [name, value] of Object.entries(all)) state.answer[name.toLowerCase()] = value
    },
    'kong.response.exit': (status: number, body: string, all: Record<string, string>) => {
      state.exited = { status, body, headers: { ...state.answer, ...all } }
    },
  }

  const request: PdkRequest = {
    call: (name, args) => {
      state.calls.push(name)
      const found = functions[name]
      if (!found) throw new Error(`Kong has no function ${name}`)
      return found(...(args as never[]))
    },
    get headers() {
      return headers
    },
    get answer() {
      return state.answer
    },
    get exited() {
      return state.exited
    },
    get upstream() {
      return state.upstream
    },
    get authenticated() {
      return state.authenticated
    },
    calls: state.calls,
  }
  return request
}

/** Names in lower case, every value a list: how Kong packs them. */
function multiMap(headers: readonly (readonly [string, string])[]): Record<string, string[]> {
  const lists: Record<string, string[]> = Object.create(null)
  for (const [name, value] of headers) {
    lists[name.toLowerCase()] = [...(lists[name.toLowerCase()] ?? []), value]
  }
  return lists
}

function splitLine(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), utf8(line.slice(colon + 1).trim())]
}

/** nginx gives bytes, which are read as UTF-8. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
