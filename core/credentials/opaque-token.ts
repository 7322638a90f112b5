/** Opaque tokens, asked about at the issuer that made them (RFC 7662). */
import type { Refusal } from './verdict.ts'

export function verifyOpaqueToken(_token: string): Refusal {
  return { denied: 'invalid_credential', because: 'opaque token: nobody knows it' }
}
