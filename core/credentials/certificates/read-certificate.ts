/** What a certificate says of its holder. Gateways have verified its chain; here it is only read. */
import { hash, X509Certificate } from 'node:crypto'
import type { ClientCertificate } from '../../request.ts'
import { canonicalName } from './distinguished-name.ts'

/** A certificate without a name that we can read: it was shown, and is nobody's. */
export const NAMELESS: ClientCertificate = Object.freeze({ uris: Object.freeze([]), dnsNames: Object.freeze([]) })

/** A longer text is not read: 16 kB hold a thousand names. */
const LONGEST = 16 * 1024
const MOST_BYTES = 32 * 1024 * 1024
/** What an entry costs beside its names: digest, objects, and the map's own links. */
const ENTRY_BYTES = 512

export interface CertificateReader {
  /** `pem` may be percent-encoded. What cannot be read, or is longer than 16 kB, is `NAMELESS`. */
  read(pem: string): ClientCertificate
  /** Of what is kept, at most. */
  readonly bytes: number
}

interface Kept {
  readonly certificate: ClientCertificate
  readonly bytes: number
}

/** Reading costs 30 µs, and clients come again: what was read is kept by the SHA-256 of its text. The oldest are forgotten. */
export function createCertificateReader(mostBytes = MOST_BYTES): CertificateReader {
  const kept = new Map<string, Kept>()
  let bytes = 0

  function makeRoom(): void {
    for (const [digest, oldest] of kept) {
      if (bytes <= mostBytes) return
      kept.delete(digest)
      bytes -= oldest.bytes
    }
  }

  return {
    get bytes() {
      return bytes
    },
    read(pem) {
      if (pem.length > LONGEST) return NAMELESS
      const digest = hash('sha256', pem, 'base64')
      const known = kept.get(digest)
      if (known) return known.certificate
      const certificate = parse(pem)
      // its names are no longer than the text, at two bytes a character
      const entry = { certificate, bytes: ENTRY_BYTES + 2 * pem.length }
      kept.set(digest, entry)
      bytes += entry.bytes
      makeRoom()
      return certificate
    },
  }
}

/** Of this process: what a certificate says depends on nothing else. */
const reader = createCertificateReader()

/** See `CertificateReader`. */
export function readCertificate(pem: string): ClientCertificate {
  return reader.read(pem)
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
