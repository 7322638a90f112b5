/** X-Forwarded-Client-Cert, in which Envoys tell each other whom they have verified. */
import { canonicalName } from '../core/credentials/certificates/distinguished-name.ts'
import { NAMELESS, readCertificate } from '../core/credentials/certificates/read-certificate.ts'
import type { ClientCertificate } from '../core/request.ts'

/** In lower case: as a property of the headers. */
export const FORWARDED_CERTIFICATE = 'x-forwarded-client-cert'

/**
 * `Key=value` pairs joined by `;`, elements joined by `,`. A value in quotes is taken as it stands: Envoy writes a subject's own
 * backslashes there, and doubles none.
 */
const PAIR = /\s*([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))\s*([;,]|$)/iy

type Element = Record<'cert' | 'subject' | 'uri' | 'dns', string[]>

/**
 * The last element's certificate: the nearest proxy has written that one, and those before it may be a client's. Undefined for an
 * empty header; nobody's certificate for one that cannot be read whole, or names nobody.
 */
export function forwardedCertificate(header: string): ClientCertificate | undefined {
  if (header.trim() === '') return undefined
  let element = newElement()
  let separator: string | undefined = ','
  for (PAIR.lastIndex = 0; separator !== ''; ) {
    const found = PAIR.exec(header)
    if (!found) return NAMELESS
    if (separator === ',') element = newElement()
    const [, key = '', quoted, plain = ''] = found
    const values = (element as Record<string, string[] | undefined>)[key.toLowerCase()]
    const value = quoted ?? plain
    if (value !== '') values?.push(value)
    separator = found[4]
  }
  return certificateOf(element)
}

function newElement(): Element {
  return Object.assign(Object.create(null), { cert: [], subject: [], uri: [], dns: [] })
}

/** The certificate itself where it is told: it says more, and its names cannot run into one another. */
function certificateOf({ cert, subject, uri, dns }: Element): ClientCertificate {
  if (cert.length > 1 || subject.length > 1) return NAMELESS
  const [pem] = cert
  if (pem !== undefined) return readCertificate(pem)
  const [told] = subject
  const name = told === undefined ? undefined : canonicalName(told)
  const dnsNames = dns.map((one) => one.toLowerCase())
  return { uris: uri, dnsNames, ...(name !== undefined && { subject: name }) }
}
