/** Whether rules may read the request headers that the policy names: none shows a credential, and each is there to be read. */
import type { Fault } from '../problem.ts'
import { folded, isTrustedHeader } from '../schema/backend-identity.ts'
import type { PolicyFile } from '../schema.ts'

/**
 * Where callers show who they are (RFC 9110 §11, RFC 6265, RFC 9449, RFC 9440; keys, tokens and certificates by custom), in lower case,
 * `_` read as `-`.
 */
export const SHOWS_CREDENTIALS = new RegExp(
  `^(?:${[
    'authorization|proxy-authorization|cookie2?|dpop|(?:.+-)?client-cert(?:-.+)?|(?:.+-)?jwt(?:-.+)?',
    '(?:x-)?api-?key|(?:x-)?(?:forwarded-)?(?:auth|access|id|csrf|xsrf)-token|x-(?:amzn-oidc-.*|goog-iap-.*|amz-security-token|vault-token)',
  ].join('|')})$`,
)

const PROVEN = '`user`, `roles` or an attribute of the tenant in the rule'

/** A provider outside is given all that rules may read. */
export function checkFlagHeaders({ identity, flags }: PolicyFile): readonly Fault[] {
  if (typeof flags !== 'object') return []
  const apiKey = folded(identity.apiKey.header)
  const override = flags.override && folded(flags.override.header)
  const against = (name: string): Pick<Fault, 'message' | 'fix'> | undefined => {
    if (name === apiKey || SHOWS_CREDENTIALS.test(name))
      return { message: 'is where credentials are shown, which no rule and no provider may see', fix: PROVEN }
    if (isTrustedHeader(name))
      return {
        message: 'is of those that backends trust: what clients write there is taken away, and no rule would see it',
        fix: PROVEN,
      }
    if (name === override)
      return { message: 'is where callers choose variants, and a rule would ask nobody whether he may', fix: 'another' }
    if (name === 'host')
      return {
        message: 'is no header behind Envoy, which tells the host apart from them',
        fix: '`route` in the rule, and `hosts` at a route',
      }
    return undefined
  }
  return flags.headers.flatMap((header, index) => {
    const fault = against(folded(header))
    return fault ? [{ path: ['flags', 'headers', index], ...fault, message: `\`${header}\` ${fault.message}` }] : []
  })
}
