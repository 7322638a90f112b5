/** Whether callers may choose variants by this header: it is taken off every request, so nothing else may need it. */
import type { Fault, PolicyPath } from '../problem.ts'
import { folded, isTrustedHeader } from '../schema/backend-identity.ts'
import type { PolicyFile } from '../schema.ts'
import { SHOWS_CREDENTIALS } from './flag-headers.ts'

const PATH: PolicyPath = ['flags', 'override']
const FIX = 'a header of its own, such as `x-flag-override`'

/** What requests and gateways are made of, besides credentials (IANA's field names, and those of Envoy and Kong), `_` read as `-`. */
const NEEDED = new RegExp(
  `^(?:${[
    'accept.*|access-control-.*|cache-control|connection|content-.*|cookie.*|date|early-data|expect',
    'forwarded|from|grpc-.*|host|http2-settings|idempotency-key|if-.*|keep-alive|max-forwards|origin|pragma|prefer',
    'proxy-.*|range|referer|sec-.*|te|trailer|traceparent|tracestate|transfer-encoding|upgrade.*|user-agent|via',
    'x-(?:anonymous-consumer|authenticated-groups|b3-.*|client-trace-id|consumer-.*|credential-.*|envoy-.*)',
    'x-(?:forwarded-.*|host|http-method.*|kong-.*|method.*|original-.*|real-ip|request-id|rewrite-url)',
  ].join('|')})$`,
)

export function checkOverride({ identity, flags }: PolicyFile): readonly Fault[] {
  if (typeof flags !== 'object' || !flags.override) return []
  const { header } = flags.override
  const refuse = (why: string): readonly Fault[] => [
    { path: [...PATH, 'header'], message: `\`${header}\` ${why}`, fix: FIX },
  ]
  if (flags.provider) {
    const message = 'a provider outside does not tell its variants, so that nobody can choose one'
    return [{ path: PATH, message, fix: '`file:` in place of `provider:`, or no `override:`' }]
  }
  if (!/^[a-z0-9-]+$/i.test(header)) return refuse('is spelt with more than letters, digits and dashes')
  const name = header.toLowerCase()
  if (isTrustedHeader(name)) return refuse('is of those that backends trust: what clients write there is taken away')
  if (name === folded(identity.apiKey.header)) return refuse('is where API keys are shown')
  return SHOWS_CREDENTIALS.test(name) || NEEDED.test(name)
    ? refuse('has a meaning of its own, and would be taken off every request')
    : []
}
