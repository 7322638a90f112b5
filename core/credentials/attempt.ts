/** One attempt to prove a credential, and what is held against the address that it comes from. */
import type { Identity } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import type { Refusal } from './verdict.ts'

/** How many credentials of one client address may fail; the address is a block of /64 for IPv6. */
export type FailureRule = NonNullable<Identity['failedCredentials']>

/** Counts failures by client address, bounded in addresses. */
export interface FailedCredentials {
  /** Milliseconds until a credential from this address may fail again; 0 while there is room. */
  blockedForMs(address: string, rule: FailureRule, now: number): number
  failed(address: string, rule: FailureRule, now: number): void
}

/** No address is ever blocked. */
export const NO_FAILURE_LIMIT: FailedCredentials = { blockedForMs: () => 0, failed() {} }

export interface Attempt {
  /** ms since the epoch. */
  readonly now: number
  /**
   * The refusal while too many credentials from this address have failed. Asked before anything dear, and before a guess is
   * answered; credentials that cannot be guessed and cost nothing are not asked for it, so that a neighbour's attack
   * locks nobody out.
   */
  blocked(): Refusal | undefined
}

/** The attempt of one request. Where the gateway knows no address, nobody is blocked. */
export function attemptOf(
  { clientAddress }: GatewayRequest,
  { failedCredentials: rule }: Identity,
  failures: FailedCredentials,
  now: number,
): Attempt & { failed(): void } {
  if (rule === undefined || clientAddress === '') return { now, blocked: () => undefined, failed() {} }
  return {
    now,
    blocked() {
      const retryAfterMs = failures.blockedForMs(clientAddress, rule, now)
      if (retryAfterMs === 0) return undefined
      return { denied: 'too_many_failures', because: 'too many credentials of this address have failed', retryAfterMs }
    },
    failed: () => failures.failed(clientAddress, rule, now),
  }
}
