/** What any gateway tells us of one request: the adapters' `readRequest` makes it, the stages read nothing else. */
export interface GatewayRequest {
  /** The gateway's own id of this request; it stands in bodies, logs and the access log. */
  readonly id: string
  readonly method: string
  /** The authority as the client sent it: its case, port and trailing dot are ours to fold. */
  readonly host: string
  /** The request target as the client sent it, query included. It is not a URL: no URL parser reads it. */
  readonly path: string
  /** Names in lower case. A header that came twice is one value joined by a comma, as gateways join them. */
  readonly headers: Readonly<Record<string, string>>
  /** The client's address as the gateway determined it, without a port. We parse no X-Forwarded-For. */
  readonly clientAddress: string
  /** The client's certificate, whose chain the gateway has verified in the TLS handshake of this connection. */
  readonly clientCertificate?: ClientCertificate
  /**
   * The certificate that a proxy before the gateway was shown, as the gateway hands it on (Envoy's
   * X-Forwarded-Client-Cert). Believed only where the policy says that the gateway takes away what clients write there.
   */
  readonly forwardedCertificate?: ClientCertificate
  /** Claims of tokens that the gateway itself has verified; believed for issuers of which the policy says so. */
  readonly verifiedClaims?: readonly Readonly<Record<string, unknown>>[]
  /**
   * Whether the gateway has stopped waiting for the answer. Asked last before limits: what nobody waits for is not
   * charged.
   */
  readonly abandoned?: () => boolean
  /** How many ms the gateway still waits for the answer; absent where it does not tell. */
  readonly timeLeftMs?: () => number
}

/** What is known of the gateway that asks, while it waits. */
export type Asker = Pick<GatewayRequest, 'abandoned' | 'timeLeftMs'>

/**
 * What a certificate says of its holder (RFC 5280 §4.2.1.6). One without a name that can be read was shown, and is
 * nobody's.
 */
export interface ClientCertificate {
  /** Subject alternative names of type URI, such as a SPIFFE ID. */
  readonly uris: readonly string[]
  /** Subject alternative names of type DNS, in lower case. */
  readonly dnsNames: readonly string[]
  /** RFC 4514, the most specific name first, as `canonicalName` spells it: `CN=batch,O=Acme`. */
  readonly subject?: string
  /** When it ends, in ms since the epoch, where the gateway tells. */
  readonly notAfter?: number
}

/** The value of a header by its lower-case name, or undefined; safe for names such as `constructor`. */
export function headerOf(request: GatewayRequest, name: string): string | undefined {
  return Object.hasOwn(request.headers, name) ? request.headers[name] : undefined
}

/** gRPC over HTTP/2; `application/grpc-web` is spoken by browsers, which read HTTP. */
const GRPC = /^application\/grpc(?:[+; ]|$)/i

/** Whether the client speaks gRPC and so reads a denial from `grpc-status`, not from an HTTP body. */
export function isGrpc(request: GatewayRequest): boolean {
  return GRPC.test(headerOf(request, 'content-type') ?? '')
}
