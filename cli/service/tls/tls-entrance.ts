/** Where connections from beyond this machine come in: none gets further without a certificate of an authority we were told of. */
import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { TlsRefusal } from '../../../telemetry/tls-metrics.ts'
import type { GatewayServer } from '../listeners.ts'
import type { IsClient } from './client-names.ts'
import { createHandshakes } from './handshakes.ts'
import type { TlsMaterial } from './tls-files.ts'

export interface TlsEntrance extends GatewayServer {
  /** Handshakes from now on use these; connections stay as they are. */
  renew(material: TlsMaterial): void
  /** No handshakes any more, those under way are cut; connections stay. */
  close(): void
}

/** Why a connection was refused; `code` is OpenSSL's or Node's word for it, `certificate` PEM of one that was verified. */
export interface Refused {
  readonly reason: TlsRefusal
  readonly address: string | undefined
  readonly code?: string
  readonly certificate?: string
}

export interface TlsEntranceParts {
  readonly material: TlsMaterial
  /** Undefined: every client that its authority knows. */
  readonly isClient: IsClient | undefined
  /** Gets what is proven, decrypted. */
  readonly server: GatewayServer
  readonly onRefused: (refused: Refused) => void
  readonly bounds?: { readonly most: number; readonly longestMs: number }
}

/** A handshake takes two journeys; a thousandth of this where Envoy stands in the same data centre. */
const BOUNDS = { most: 256, longestMs: 5000 }

/**
 * A session is never resumed: each connection proves its certificate against the authorities of now, and not against those of
 * the day on which it first came. For the same reason nothing is negotiated anew within one.
 */
const SECURE_OPTIONS = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

/** gRPC is HTTP/2, and HTTP/2 over TLS is agreed upon by ALPN (RFC 9113 §3.2). */
const ALPN = 'h2'

/** TLS 1.2 or newer, whatever Node's own default may be set to. */
function contextOf({ cert, key, ca }: TlsMaterial) {
  return { cert, key, ca, minVersion: 'TLSv1.2', secureOptions: SECURE_OPTIONS } as const
}

export function createTlsEntrance(parts: TlsEntranceParts): TlsEntrance {
  const { material, server, onRefused, bounds = BOUNDS } = parts
  const handshakes = createHandshakes({ ...bounds, onCut: (reason, address) => onRefused({ reason, address }) })
  const asking = { requestCert: true, rejectUnauthorized: true, ALPNProtocols: [ALPN] }
  // it listens nowhere: connections are handed to it, of however many listeners
  const tls = createServer({ ...contextOf(material), ...asking })
  let isClosed = false

  tls.on('secureConnection', (connection: TLSSocket) => {
    const isInTime = handshakes.end(connection)
    const refused = isInTime && !isClosed ? refusalOf(connection, parts.isClient) : 'cut'
    if (refused === undefined) return server.accept(connection)
    // whose other end is gone as well is no fault of ours
    connection.on('error', () => {})
    connection.destroy()
    if (refused !== 'cut') onRefused(refused)
  })
  tls.on('tlsClientError', (error: NodeJS.ErrnoException, connection: TLSSocket) => {
    connection.on('error', () => {})
    connection.destroy()
    const refused = failureOf(error, connection)
    if (refused) onRefused(refused)
  })

  return {
    accept(connection: Socket) {
      if (isClosed) return void connection.destroy()
      handshakes.begin(connection)
      if (!connection.destroyed) tls.emit('connection', connection)
    },
    renew: (next) => tls.setSecureContext(contextOf(next)),
    close() {
      isClosed = true
      handshakes.cut()
    },
  }
}

/** Asked again what OpenSSL has been told to ask: here an error would open every door. */
function refusalOf(connection: TLSSocket, isClient: IsClient | undefined): Refused | undefined {
  const { remoteAddress: address, alpnProtocol } = connection
  const certificate = connection.getPeerX509Certificate()?.toString()
  if (!connection.authorized || certificate === undefined) return { reason: 'no_certificate', address }
  if (alpnProtocol !== ALPN) return { reason: 'no_http2', address }
  if (isClient && !isClient(certificate)) return { reason: 'wrong_name', address, certificate }
  return undefined
}

const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'
const NO_HTTP2 = 'ERR_SSL_NO_APPLICATION_PROTOCOL'

/** Undefined for one that simply went away, as probes of ports do, and for one that we have cut. */
function failureOf(error: NodeJS.ErrnoException, connection: TLSSocket): Refused | undefined {
  const { remoteAddress: address } = connection
  // the types say that it is always there, and an Error
  const distrust: unknown = connection.authorizationError
  if (distrust) return { reason: 'untrusted_certificate', address, code: String(distrust) }
  const { code = 'unknown' } = error
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined
  if (code === NO_CERTIFICATE) return { reason: 'no_certificate', address }
  return code === NO_HTTP2 ? { reason: 'no_http2', address } : { reason: 'bad_handshake', address, code }
}
