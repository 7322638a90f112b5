/** From Envoy's CheckRequest to the request that the core decides about. It translates and decides nothing. */
import type { Asker, ClientCertificate, GatewayRequest } from '../core/request.ts'
import { FORWARDED_CERTIFICATE, forwardedCertificate } from './forwarded-certificate.ts'
import type { CheckRequest, HeaderValue, HttpRequest } from './messages.ts'
import { claimsOf, peerCertificate } from './verified-by-envoy.ts'

const UPPER_CASE = /[A-Z]/

/** Longer ids are a client's doing; they would only fill logs and bodies. */
const LONGEST_ID = 128

/**
 * Reads a decoded Check. Undefined when Envoy told us of no HTTP request at all; what it left out of one is an empty text,
 * which no rule of the policy matches.
 */
export function readRequest(check: CheckRequest, asker?: Asker): GatewayRequest | undefined {
  const { source, request, metadataContext } = check.attributes ?? {}
  const http = request?.http
  if (http === undefined) return undefined
  const headers = readHeaders(http)
  const read: Writable<GatewayRequest> = {
    id: requestId(headers, http),
    method: http.method ?? '',
    host: http.host ?? '',
    path: http.path ?? '',
    headers,
    clientAddress: source?.address?.socketAddress?.address ?? '',
  }
  // most requests have none of these, and pay for none
  if (source?.certificate || source?.principal) onDemand(read, 'clientCertificate', () => peerCertificate(source))
  const forwarded = headers[FORWARDED_CERTIFICATE]
  if (forwarded) onDemand(read, 'forwardedCertificate', () => forwardedCertificate(forwarded))
  const claims = metadataContext && claimsOf(metadataContext)
  if (claims) read.verifiedClaims = claims
  if (asker?.abandoned) read.abandoned = asker.abandoned
  if (asker?.timeLeftMs) read.timeLeftMs = asker.timeLeftMs
  return read
}

type Writable<T> = { -readonly [name in keyof T]: T[name] }

/** Reads at the first look and never again: clients write headers that no policy asks for. */
function onDemand(
  request: GatewayRequest,
  name: 'clientCertificate' | 'forwardedCertificate',
  read: () => ClientCertificate | undefined,
): void {
  const look = () => {
    const value = read()
    Object.defineProperty(request, name, { value, enumerable: true })
    return value
  }
  Object.defineProperty(request, name, { get: look, enumerable: true, configurable: true })
}

type Headers = Readonly<Record<string, string>>

/** `headers` come joined and in lower case; with Envoy's `encode_raw_headers` they come apart and as bytes, in `headerMap`. */
function readHeaders(http: HttpRequest): Headers {
  const raw = http.headerMap?.headers
  if (raw !== undefined && raw.length > 0) return joined(raw)
  const headers = http.headers ?? {}
  for (const name in headers) {
    if (UPPER_CASE.test(name)) return joined(Object.entries(headers).map(([key, value]) => ({ key, value })))
  }
  return headers
}

/** One value for each name, repeats joined by a comma: what `ambiguous_credential` is told by. */
function joined(list: readonly HeaderValue[]): Headers {
  const headers: Record<string, string> = Object.create(null)
  for (const header of list) {
    const name = header.key?.toLowerCase()
    if (name === undefined || name === '') continue
    const before = headers[name]
    const value = textOf(header)
    headers[name] = before === undefined ? value : `${before},${value}`
  }
  return headers
}

/** Bytes that are not UTF-8 become U+FFFD, which stands in no credential: they can match nothing by being repaired. */
function textOf(header: HeaderValue): string {
  const { rawValue } = header
  return rawValue !== undefined && rawValue.length > 0 ? rawValue.toString('utf8') : (header.value ?? '')
}

/** The id that Envoy writes to its access log; its own `id` attribute only counts streams, and stands in where there is none. */
function requestId(headers: Headers, http: HttpRequest): string {
  const id = headers['x-request-id']
  return id !== undefined && id !== '' && id.length <= LONGEST_ID ? id : (http.id ?? '')
}
