/** From what Kong tells of a request to the request that the core decides about. It translates and decides nothing. */
import { readCertificate } from '../core/credentials/certificates/read-certificate.ts'
import type { Asker, GatewayRequest } from '../core/request.ts'
import type { HandedRequest } from './handover.ts'
import type { SharedValue } from './pdk.ts'

/** What stands in the way of reading a request. */
export type Unreadable = 'unreadable' | 'too large' | 'malformed'

/** Kong's own limits end far below; what is longer was not handed over by our guard. */
const LONGEST_TEXT = 512 * 1024

/** Longer ids are a client's doing; they would only fill logs and bodies. */
const LONGEST_ID = 128

/** The request in the text that the guard has left. */
export function readHanded(text: SharedValue): HandedRequest | Unreadable {
  if (typeof text !== 'string') return 'unreadable'
  if (text.length > LONGEST_TEXT) return 'too large'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'unreadable'
  }
  return isHanded(value) ? value : 'unreadable'
}

const TEXTS = ['id', 'requestId', 'method', 'target', 'host', 'address'] as const

function isHanded(value: unknown): value is HandedRequest {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Readonly<Record<string, unknown>>
  if (!TEXTS.every((name) => typeof fields[name] === 'string')) return false
  const { id, headers, certificate } = fields
  if (certificate !== undefined && typeof certificate !== 'string') return false
  return id !== '' && typeof headers === 'object' && headers !== null && !Array.isArray(headers) && areHeaders(headers)
}

/** An empty list is what Lua's encoder may make of an empty table: no header at all. */
function areHeaders(headers: object): headers is HandedRequest['headers'] {
  return Object.values(headers).every(
    (value) => typeof value === 'string' || (Array.isArray(value) && value.every((line) => typeof line === 'string')),
  )
}

/** A request that was handed over. */
export function readRequest(handed: HandedRequest, asker?: Asker): GatewayRequest {
  const { id, requestId, method, target, host, address, certificate } = handed
  return {
    id: shortId(requestId) || id,
    method,
    host,
    path: target,
    headers: joined(handed.headers),
    clientAddress: address,
    // never by X-Forwarded-Client-Cert: Kong lets anybody write that
    ...(certificate !== undefined && { clientCertificate: readCertificate(certificate) }),
    ...(asker && waitingOf(asker)),
  }
}

/** What is known of Kong while it waits, and nothing else of whoever knows it. */
export function waitingOf({ abandoned, timeLeftMs }: Asker): Asker {
  return { ...(abandoned && { abandoned }), ...(timeLeftMs && { timeLeftMs }) }
}

/** What the client, or a plugin of Kong's for it, calls the request; empty where nobody does. */
export function publicId(headers: Readonly<Record<string, string>>): string {
  return shortId(headers['x-request-id'] ?? '')
}

function shortId(id: string): string {
  return id.length <= LONGEST_ID ? id : ''
}

/** One value for each name, repeats joined by a comma: what `ambiguous_credential` is told by. */
export function joined(headers: HandedRequest['headers']): Readonly<Record<string, string>> {
  const byName: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    const text = typeof value === 'string' ? value : value.join(',')
    const folded = name.toLowerCase()
    const before = byName[folded]
    byName[folded] = before === undefined ? text : `${before},${text}`
  }
  return byName
}
