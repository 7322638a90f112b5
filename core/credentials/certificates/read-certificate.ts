/** What a certificate says of its holder. Gateways have verified its chain; here it is only read. */
import { hash, X509Certificate } from 'node:crypto'
import type { ClientCertificate } from '../../request.ts'
import { canonicalName } from './distinguished-name.ts'

/** A certificate without a name that we can read: it was shown, and is nobody's. */
export const NAMELESS: ClientCertificate = Object.freeze({ uris: Object.freeze([]), dnsNames: Object.freeze([]) })

/** Reading costs 30 µs, and clients come again. The oldest are forgotten. */
const MOST_KEPT = 10_000
/** By the SHA-256 of the text. */
const kept = new Map<string, ClientCertificate>()

/** `pem` may be percent-encoded, and is never longer than a request's headers. What cannot be read is `NAMELESS`. */
export function readCertificate(pem: string): ClientCertificate {
  const digest = hash('sha256', pem, 'base64')
  const known = kept.get(digest)
  if (known) return known
  const [oldest] = kept.size < MOST_KEPT ? [] : kept.keys()
  if (oldest !== undefined) kept.delete(oldest)
  const certificate = parse(pem)
  kept.set(digest, certificate)
  return certificate
}

function parse(pem: string): ClientCertificate {
  try {
    const certificate = new X509Certificate(pem.includes('%') ? decodeURIComponent(pem) : pem)
    return namesOf(certificate)
  } catch {
    return NAMELESS
  }
}

function namesOf({ subject, subjectAltName, validToDate }: X509Certificate): ClientCertificate {
  const names = alternativeNames(subjectAltName ?? '')
  // one step of the name a line, the least specific first
  const name = subject ? canonicalName(subject.split('\n').reverse().join(',')) : undefined
  return Object.freeze({
    uris: Object.freeze(names.filter(({ kind }) => kind === 'URI').map(({ value }) => value)),
    dnsNames: Object.freeze(names.filter(({ kind }) => kind === 'DNS').map(({ value }) => value.toLowerCase())),
    ...(name !== undefined && { subject: name }),
    notAfter: validToDate.getTime(),
  })
}

interface AlternativeName {
  readonly kind: string
  readonly value: string
}

/** `URI:spiffe://a, DNS:b`: Node writes a value as a JSON text where it has a quote, a comma or control characters in it. */
const ALTERNATIVE = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/** Throws for a list that is written otherwise. */
function alternativeNames(list: string): readonly AlternativeName[] {
  const names: AlternativeName[] = []
  for (ALTERNATIVE.lastIndex = 0; ALTERNATIVE.lastIndex < list.length; ) {
    const [, kind, value] = ALTERNATIVE.exec(list) ?? []
    if (kind === undefined || value === undefined) throw new Error('alternative names that cannot be told apart')
    names.push({ kind, value: value.startsWith('"') ? String(JSON.parse(value)) : value })
  }
  return names
}

/** RFC 3986 §3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i

/** A single name without its kind, told by its looks: a URI has a scheme, a subject an equals sign, and a DNS name neither. */
export function certificateNamed(name: string): ClientCertificate {
  if (SCHEME.test(name)) return { uris: [name], dnsNames: [] }
  if (!name.includes('=')) return { uris: [], dnsNames: [name.toLowerCase()] }
  const subject = canonicalName(name)
  return subject === undefined ? NAMELESS : { uris: [], dnsNames: [], subject }
}
