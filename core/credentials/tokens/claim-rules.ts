/** What the claims of any token must say, whoever has verified it: its times, its issuer and audience, and what revokes it. */
import type { Issuer } from '../../policy.ts'
import type { Unproven } from './refused-tokens.ts'

type Claims = Readonly<Record<string, unknown>>

/** The end of the year 9999, in seconds: what ends later was counted in milliseconds, or never ends. */
const LAST_SECOND = 253_402_300_799

/**
 * Why the claims are not believed at `now` (ms since the epoch), or undefined. RFC 7519 §4.1: `exp` must be there unless
 * `needsExpiry` is false, `iss` must be the issuer's where it is there, `aud` must name one of the issuer's audiences if it has
 * any. `exp`, `nbf` and `iat` are read with the issuer's clock skew: a token from the future is no better than one of the past.
 */
export function faultOfClaims(claims: Claims, issuer: Issuer, now: number, needsExpiry = true): Unproven | undefined {
  const dates = [claims.exp, claims.nbf, claims.iat]
  if (!dates.every(isOptionalDate)) return lasting('exp, nbf or iat is no date in seconds')
  const [exp, nbf, iat] = dates
  if (exp === undefined && needsExpiry) return lasting('it never expires')
  if (!isOptionalText(claims.sub) || !isOptionalText(claims.jti)) return lasting('sub or jti is no text')
  if (claims.iss !== undefined && claims.iss !== issuer.issuer) return lasting('it is of another issuer')
  if (issuer.audiences.length > 0 && !names(claims.aud, issuer.audiences)) return lasting('it is for another audience')
  const latest = (now + issuer.clockSkewMs) / 1000
  if (exp !== undefined && now >= endOf(exp, issuer)) return EXPIRED
  if (nbf !== undefined && nbf > latest) return passing('not valid yet')
  if (iat !== undefined && iat > latest) return passing('issued in the future')
  return undefined
}

/** When a token with this `exp` ends, in ms since the epoch, clock skew included. */
export function endOf(exp: number, { clockSkewMs }: Issuer): number {
  return exp * 1000 + clockSkewMs
}

export const EXPIRED: Unproven = {
  refusal: { denied: 'expired_credential', because: 'token: expired' },
  lasting: true,
}

/** A refusal that holds as long as policy and keys do. */
export function lasting(because: string): Unproven {
  return { refusal: { denied: 'invalid_credential', because: `token: ${because}` }, lasting: true }
}

/** A refusal that the next moment may turn. */
export function passing(because: string): Unproven {
  return { ...lasting(because), lasting: false }
}

function isOptionalDate(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && value >= -LAST_SECOND && value <= LAST_SECOND)
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

/** RFC 7519 §4.1.3: one audience, or a list of them. */
function names(aud: unknown, audiences: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.some((audience) => named.includes(audience))
}
