/** One attempt to prove credentials, and what is held against the address that it comes from. */
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
  /**
   * Takes one of as many places as credentials from this address may fail now, and answers 0: `end` gives it back, once. Where none
   * is free it takes none, and answers the milliseconds after which it is worth trying again.
   */
  begin(address: string, rule: FailureRule, now: number): number
  end(address: string): void
  /** Takes one of the places that an address has for questions to a store, which `endLookup` gives back; false where none is free. */
  beginLookup(address: string): boolean
  endLookup(address: string): void
}

/** No address is ever blocked. */
export const NO_FAILURE_LIMIT: FailedCredentials = {
  blockedForMs: () => 0,
  failed() {},
  begin: () => 0,
  end() {},
  beginLookup: () => true,
  endLookup() {},
}

export interface Attempt {
  /** ms since the epoch. */
  readonly now: number
  /** The client's, or empty where the gateway knows none. */
  readonly address: string
  /** What is looked up is looked up for that, see `TenantDirectory`. */
  readonly asker?: object
  /**
   * The refusal while too many credentials from this address have failed. Asked before anything dear, and before a guess is
   * answered; credentials that cannot be guessed and cost nothing are not asked for it, so that a neighbour's attack
   * locks nobody out.
   */
  blocked(): Refusal | undefined
  /**
   * Asked right before anything dear (a signature, a question to somebody else): the refusal while so much of that is under way
   * for this address that, if all of it fails, it has failed too often. What has begun ends with the attempt.
   */
  begin(): Refusal | undefined
  /**
   * The same before a question to a store of keys, which costs far less than a signature: of those many more may be under way, so
   * that many callers behind one address are not refused where all of them are asked about again.
   */
  beginLookup(): Refusal | undefined
}

/** An attempt, and what its owner tells of its outcome. `end` is called once, whatever has come of it. */
export interface OwnAttempt extends Attempt {
  failed(): void
  end(): void
}

/** The attempt of one request. Where the gateway knows no address, nobody is blocked. */
export function attemptOf(
  request: GatewayRequest,
  { failedCredentials: rule }: Identity,
  failures: FailedCredentials,
  now: number,
): OwnAttempt {
  const { clientAddress: address } = request
  if (rule === undefined || address === '') return { now, address, asker: request, ...UNLIMITED }
  let hasBegun = false
  let isLookingUp = false
  return {
    now,
    address,
    asker: request,
    blocked: () => tooMany(failures.blockedForMs(address, rule, now)),
    begin() {
      if (hasBegun) return undefined
      const refusal = tooMany(failures.begin(address, rule, now))
      hasBegun = !refusal
      return refusal
    },
    beginLookup() {
      if (!isLookingUp && !failures.beginLookup(address)) return TOO_MANY_LOOKUPS
      isLookingUp = true
      return undefined
    },
    failed: () => failures.failed(address, rule, now),
    end() {
      if (hasBegun) failures.end(address)
      if (isLookingUp) failures.endLookup(address)
    },
  }
}

const none = () => undefined
const UNLIMITED = { blocked: none, begin: none, beginLookup: none, failed() {}, end() {} }

const TOO_MANY_LOOKUPS: Refusal = {
  denied: 'too_many_failures',
  because: 'too many unknown credentials of this address are asked about at this moment',
  retryAfterMs: 1000,
}

function tooMany(retryAfterMs: number): Refusal | undefined {
  if (retryAfterMs === 0) return undefined
  return { denied: 'too_many_failures', because: 'too many credentials of this address have failed', retryAfterMs }
}
