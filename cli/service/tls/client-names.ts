/** Which of an authority's clients may connect: by the names in their certificates. */
import { isIP } from 'node:net'
import { readCertificate } from '../../../core/credentials/certificates/read-certificate.ts'
import { compileUriPatterns } from '../../../core/credentials/certificates/uri-patterns.ts'
import { uriFault } from '../../../policy/schema/certificates.ts'

/** Whether one of the names of a certificate (PEM) is one that is asked for. */
export type IsClient = (pem: string) => boolean

/** RFC 1123 §2.1, and underscores, which some authorities allow. */
const DNS_NAME = /^(?!-)[\w-]+(?:\.[\w-]+)*$/

const isUri = (pattern: string) => pattern.includes(':')

/** Why a pattern would never match; undefined for a good one. */
export function clientNameFault(pattern: string): string | undefined {
  // first: one of IPv4 looks like a DNS name, and some of IPv6 like a URI
  if (isIP(pattern) !== 0) return 'is an IP address, and clients are known by a DNS name or a URI of their certificate'
  if (isUri(pattern)) return uriFault(pattern)
  if (DNS_NAME.test(pattern)) return undefined
  return 'is neither a DNS name (whole, without wildcards) nor a URI such as spiffe://acme.example/ns/edge/sa/*'
}

/**
 * A DNS name is asked for whole, without regard to case; a URI exactly, or by a pattern with `*` for a segment and `/**` for the
 * rest. A name of one kind never stands for one of the other; the subject's common name is none (RFC 9525 §2).
 */
export function compileClientNames(patterns: readonly string[]): IsClient {
  const dns = new Set(patterns.filter((pattern) => !isUri(pattern)).map((name) => name.toLowerCase()))
  const findUri = compileUriPatterns(new Map(patterns.filter(isUri).map((pattern) => [pattern, true])))
  return (pem) => {
    const { dnsNames, uris } = readCertificate(pem)
    return dnsNames.some((name) => dns.has(name)) || uris.some((uri) => findUri(uri) !== undefined)
  }
}
