/** `tenants.<id>.certificates`: client certificates that stand for a tenant, by one of their names. */
import { z } from 'zod'
import { canonicalName } from '../../core/credentials/certificates/distinguished-name.ts'
import { limits } from './limits.ts'
import { hostPattern, name, refusal, rights, role, scope } from './words.ts'

/** RFC 3986 §3.1, and something behind it; visible ASCII, as in an IA5String (RFC 5280 §4.2.1.6). */
const URI = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/

/** Why a pattern of URIs cannot be used, and what to write; undefined for a good one. */
export function uriFault(uri: string): string | undefined {
  if (!URI.test(uri)) return refusal('is not a URI', 'one such as `spiffe://acme.example/ns/prod/sa/batch`')
  const authority = AUTHORITY.exec(uri)
  if (authority?.[1] !== undefined && authority[1] !== authority[1].toLowerCase()) {
    return refusal('has a host in upper case', 'the host in lower case, as certificates have it')
  }
  const wild = refusal('has a wildcard that is no whole segment of the path', '`/*/` for one segment, `/**` at the end')
  if (!authority) return uri.includes('*') ? wild : undefined
  const [host = ''] = authority
  const segments = uri.slice(host.length).split('/').slice(1)
  const isWild =
    host.includes('*') || segments.some((segment, index) => !isSegment(segment, index === segments.length - 1))
  return isWild ? wild : undefined
}

function isSegment(segment: string, isLast: boolean): boolean {
  return !segment.includes('*') || segment === '*' || (segment === '**' && isLast)
}

const uri = z
  .string()
  .superRefine((value, context) => {
    const message = uriFault(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
  .optional()
  .describe(
    'A URI among its names, such as a SPIFFE ID; `*` is one segment of the path, `/**` at the end all the rest.',
  )

const subject = z
  .string()
  .refine((text) => canonicalName(text) !== undefined, {
    error: refusal(
      'is not a subject in the form of RFC 4514',
      'one such as `CN=batch,O=Acme`, the most specific name first,',
    ),
  })
  .optional()
  .describe('Its whole subject in the form of RFC 4514, the most specific name first: `CN=batch,O=Acme`.')

const KINDS = ['uri', 'dns', 'subject'] as const

export const certificate = z
  .strictObject({
    id: name('a certificate').describe('Names the certificate in logs and metrics.'),
    uri,
    dns: hostPattern().optional().describe('A DNS name among its names; `*.suffix` stands for one label.'),
    subject,
    scopes: rights(scope()).describe('What its holder may do.'),
    roles: rights(role()).describe('What its holder is.'),
    limits: limits.default([]).describe("Beside the tenant's; they count this certificate's holders alone."),
  })
  .superRefine((entry, context) => {
    if (KINDS.filter((kind) => entry[kind] !== undefined).length === 1) return
    const message = refusal('needs exactly one of `uri`, `dns` and `subject`', 'the one name that it shall be known by')
    context.addIssue({ code: 'custom', message })
  })
  .meta({ oneOf: KINDS.map((kind) => ({ required: [kind] })) })

export type CertificateRule = z.output<typeof certificate>

/** The one name that a certificate is told by. */
export function nameOfCertificate(entry: CertificateRule): {
  readonly kind: (typeof KINDS)[number]
  readonly pattern: string
} {
  for (const kind of KINDS) {
    const pattern = entry[kind]
    if (pattern !== undefined) return { kind, pattern }
  }
  throw new Error('unreachable: the schema wants one name')
}
