/** The request that `explain` asks about: as options say it, or a recorded file, or both. */
import { readFileSync } from 'node:fs'
import { readCertificate } from '../core/credentials/certificates/read-certificate.ts'
import type { ClientCertificate, GatewayRequest } from '../core/request.ts'
import { HEADER_SPECS, headersIn } from './header-lines.ts'
import type { Options } from './options.ts'

export const REQUEST_SPECS = {
  method: { type: 'string' },
  host: { type: 'string' },
  path: { type: 'string' },
  ...HEADER_SPECS,
  ip: { type: 'string' },
  cert: { type: 'string' },
  request: { type: 'string' },
} as const

/** The request of the options, or of a recorded file that options override; a text says what is wrong. */
export function requestOf(options: Options<typeof REQUEST_SPECS>): GatewayRequest | string {
  const recorded = options.request === undefined ? {} : recordedRequest(options.request)
  if (typeof recorded === 'string') return recorded
  const { method = recorded.method ?? 'GET', host = recorded.host, path = recorded.path } = options
  if (host === undefined) return '--host is missing'
  if (path === undefined) return '--path is missing'
  const headers = headersIn(options.header, recorded.headers)
  if (typeof headers === 'string') return headers
  const certificate = options.cert === undefined ? undefined : certificateIn(options.cert)
  if (typeof certificate === 'string') return certificate
  const clientAddress = options.ip ?? recorded.ip ?? '127.0.0.1'
  const request = { id: 'explain', method, host, path, headers, clientAddress }
  return certificate ? { ...request, clientCertificate: certificate } : request
}

/** The first one in the file; a text says why there is none. */
function certificateIn(file: string): ClientCertificate | string {
  const pem = textOf(file)
  if (typeof pem !== 'string') return `--cert ${file}: ${pem.failure}`
  const certificate = readCertificate(FIRST_CERTIFICATE.exec(pem)?.[0] ?? '')
  const { uris, dnsNames, subject } = certificate
  const isNamed = uris.length > 0 || dnsNames.length > 0 || subject !== undefined
  return isNamed ? certificate : `--cert ${file}: no certificate (PEM) with a name that can be read`
}

/** RFC 7468 §5. */
const FIRST_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/

function textOf(file: string): string | { readonly failure: string } {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return { failure: (error as Error).message }
  }
}

interface Recorded {
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly ip?: string
}

function recordedRequest(file: string): Recorded | string {
  const text = textOf(file)
  if (typeof text !== 'string') return `--request ${file}: ${text.failure}`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return `--request ${file}: not JSON`
  }
  return isRecorded(value) ? value : `--request ${file}: expected {"method","host","path","headers":{},"ip"}, all texts`
}

function isRecorded(value: unknown): value is Recorded {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { headers = {}, ...texts } = value as Record<string, unknown>
  const known = ['method', 'host', 'path', 'ip']
  const isText = (entry: unknown) => typeof entry === 'string'
  if (typeof headers !== 'object' || headers === null || !Object.values(headers).every(isText)) return false
  return Object.entries(texts).every(([name, entry]) => known.includes(name) && isText(entry))
}
