/** The answers that Kong writes itself, for a plugin that ends the request and for its own faults. */
import type { Fields } from './lua-host.ts'

export interface KongAnswer {
  readonly status: number
  readonly fields: Fields
  /** Bytes, a character each. */
  readonly body: string
}

/** What a plugin gave to `kong.response.exit`. */
export interface Exit {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, unknown>>
}

const GRPC_STATUS: Readonly<Record<number, string>> = { 400: '3', 401: '16', 403: '7', 404: '12', 429: '14', 503: '14' }

/** `kong.response.exit`: a request of gRPC is answered in its way, unless the plugin names another content type. */
export function exitAnswer(isGrpcRequest: boolean, { status, body, headers = {} }: Exit): KongAnswer {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name.toLowerCase(), String(one)] as const),
  )
  const of = (name: string) => fields.find(([own]) => own === name)?.[1]
  const type = of('content-type')
  const isGrpcOutput = type?.startsWith('application/grpc') === true
  const isGrpc = type === undefined ? isGrpcRequest : isGrpcOutput
  const more: (readonly [string, string])[] = []
  if (isGrpc && of('grpc-status') === undefined) {
    more.push(['grpc-status', GRPC_STATUS[status] ?? (status >= 500 ? '13' : '3')])
  }
  if (isGrpc && !isGrpcOutput && body !== undefined) {
    const others = fields.filter(([name]) => name !== 'grpc-message')
    return { status, fields: [...others, ...more, ['content-length', '0'], ['grpc-message', body]], body: '' }
  }
  return { status, fields: [...fields, ...more, ['content-length', `${body?.length ?? 0}`]], body: body ?? '' }
}

/** Kong has other words for people; no test looks at them. */
const MESSAGES: Readonly<Record<number, string>> = {
  400: 'not readable',
  404: 'nothing is routed there',
  405: 'not with this method',
  500: 'something broke',
  502: 'no answer from behind',
}

/** `kong.response.error`, and Kong's pages for what nginx refuses. */
export function errorAnswer(isGrpcRequest: boolean, status: number, requestId: string): KongAnswer {
  if (isGrpcRequest) return exitAnswer(true, { status, headers: { 'content-type': 'application/grpc' } })
  const body = JSON.stringify({ message: MESSAGES[status] ?? 'Error', request_id: requestId })
  return exitAnswer(false, { status, body, headers: { 'content-type': 'application/json; charset=utf-8' } })
}
