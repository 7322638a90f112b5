/** What Envoy itself has verified of a request: the peer's certificate, and tokens of its jwt_authn filter. */
import { certificateNamed, readCertificate } from '../core/credentials/certificates/read-certificate.ts'
import type { ClientCertificate } from '../core/request.ts'
import type { MetadataMessage, Peer } from './messages.ts'
import { plainStruct } from './struct.ts'

/** Where Envoy's filter leaves payloads, each under the name that its `payload_in_metadata` says. */
const JWT_AUTHN = 'envoy.filters.http.jwt_authn'

/**
 * The certificate of the connection: itself, with `include_peer_certificate`, or the one name that Envoy chooses of it, a URI
 * before a DNS name before the subject. Undefined where none was shown.
 */
export function peerCertificate({ certificate, principal }: Peer): ClientCertificate | undefined {
  if (certificate) return readCertificate(certificate)
  return principal ? certificateNamed(principal) : undefined
}

/** The payloads of tokens: no other filter, and no client, can write there. Undefined where there is none. */
export function claimsOf({
  filterMetadata,
}: MetadataMessage): readonly Readonly<Record<string, unknown>>[] | undefined {
  const payloads = filterMetadata?.[JWT_AUTHN]?.fields
  if (!payloads) return undefined
  const claims: Readonly<Record<string, unknown>>[] = []
  for (const { structValue } of Object.values(payloads)) {
    // headers of tokens and failures may stand beside the payloads
    if (!structValue?.fields || !Object.hasOwn(structValue.fields, 'iss')) continue
    const plain = plainStruct(structValue)
    if (plain) claims.push(plain)
  }
  return claims.length === 0 ? undefined : claims
}
