/** Client certificates: the gateway has verified the chain, the policy says whom a name stands for. */
import { type CertificateEntry, type CertificateMatcher, UNAVAILABLE } from '../../policy.ts'
import type { ClientCertificate } from '../../request.ts'
import type { Attempt } from '../attempt.ts'
import type { Principal } from '../principal.ts'
import type { Verdict } from '../verdict.ts'
import { canonicalName } from './distinguished-name.ts'
import { compileUriPatterns } from './uri-patterns.ts'

export function verifyCertificate(
  certificate: ClientCertificate,
  certificates: CertificateMatcher,
  { now }: Attempt,
): Verdict {
  if (certificate.notAfter !== undefined && now >= certificate.notAfter) {
    return { denied: 'expired_credential', because: 'client certificate: expired' }
  }
  const entry = certificates.match(certificate)
  if (entry === UNAVAILABLE) {
    return {
      denied: 'dependency_unavailable',
      because: 'client certificate: the store of certificates does not answer',
    }
  }
  if (entry === undefined) return { denied: 'invalid_credential', because: 'client certificate: not known' }
  if (entry === 'ambiguous') {
    return { denied: 'invalid_credential', because: 'client certificate: its names belong to two tenants' }
  }
  return principalOf(entry)
}

const principals = new WeakMap<CertificateEntry, Principal>()

function principalOf(entry: CertificateEntry): Principal {
  let principal = principals.get(entry)
  if (!principal) {
    const { id, tenant, roles, scopes } = entry
    principal = Object.freeze({ kind: 'clientCertificate', credential: id, tenantId: tenant, roles, scopes })
    principals.set(entry, principal)
  }
  return principal
}

/** How exactly an entry names a certificate; of two kinds alike the first of URI, DNS and subject is taken. */
const EXACTNESS = { prefix: 0, template: 1, exact: 2 } as const

interface Found {
  readonly entry: CertificateEntry
  readonly exactness: number
}

/** Letters of a label that stands for `*`: a name that is itself a wildcard is nobody's (RFC 9525 §6.3 has one label, too). */
const LABEL = /^[a-z0-9_-]+$/

/** Compiles entries whose patterns the policy has checked to be distinct. What a match costs does not grow with their number. */
export function compileCertificates(entries: readonly CertificateEntry[]): CertificateMatcher {
  const ofKind = (wanted: CertificateEntry['name']['kind']) => entries.filter(({ name }) => name.kind === wanted)
  const byPattern = (kind: CertificateEntry['name']['kind'], fold = (text: string) => text) =>
    new Map(ofKind(kind).map((entry) => [fold(entry.name.pattern), entry]))

  const byUri = compileUriPatterns(byPattern('uri'))
  const dns = byPattern('dns')
  const subjects = byPattern('subject', (text) => canonicalName(text) ?? text)

  function* foundIn({ uris, dnsNames, subject }: ClientCertificate): Generator<Found> {
    for (const uri of uris) {
      const found = byUri(uri)
      if (found) yield { entry: found.value, exactness: EXACTNESS[found.exactness] }
    }
    for (const name of dnsNames) {
      const found = byDns(dns, name)
      if (found) yield found
    }
    const entry = subject === undefined ? undefined : subjects.get(subject)
    if (entry) yield { entry, exactness: EXACTNESS.exact }
  }

  return {
    match(certificate) {
      let best: Found | undefined
      for (const found of foundIn(certificate)) {
        if (best && best.entry.tenant !== found.entry.tenant) return 'ambiguous'
        if (!best || found.exactness > best.exactness) best = found
      }
      return best?.entry
    },
  }
}

function byDns(entries: ReadonlyMap<string, CertificateEntry>, name: string): Found | undefined {
  // a certificate for `*.acme.example` holds that text as its name
  if (name.startsWith('*')) return undefined
  const exact = entries.get(name)
  if (exact) return { entry: exact, exactness: EXACTNESS.exact }
  const dot = name.indexOf('.')
  const wildcard = dot > 0 && LABEL.test(name.slice(0, dot)) ? entries.get(`*${name.slice(dot)}`) : undefined
  return wildcard && { entry: wildcard, exactness: EXACTNESS.template }
}
