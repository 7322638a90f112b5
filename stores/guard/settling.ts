/** Charges the shared store for what was admitted without it. */
import type { Charge } from '../../core/limits/limit.ts'
import { STORE_AWAY } from './budgeted.ts'
import type { Owed } from './owed.ts'

export interface SettlingParts {
  readonly owed: Owed
  /** Charges the store for what was admitted without it; rejects where it does not answer. */
  readonly charge: (charges: readonly Charge[]) => Promise<unknown>
  /** Whether the store was there though `charge` has rejected: it may have charged, and would fail again. */
  readonly isThere: (failure: unknown) => boolean
  /** ms since the epoch. */
  readonly now: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
}

export interface Settling {
  /**
   * Charges what is owed, as far as the store answers; rejects where it answers nothing. To be done before it is asked again. What it
   * cannot charge though it is there is forgiven: it may be charged already. What it may have charged, since its answer was lost, is charged again.
   */
  settle(): Promise<void>
  /** The same, for which nobody waits, and not again and again where it has just failed. */
  settleSoon(): void
}

/** Calls with debts that are under way to the store at once. */
const AT_ONCE = 50
/** What could not be charged while the store answers others is tried again after so many ms. */
const RETRY_MS = 1000

export function createSettling({ owed, charge, isThere, now, elapsed }: SettlingParts): Settling {
  let settling: Promise<void> | undefined
  let quietUntil = Number.NEGATIVE_INFINITY

  async function pay(charges: readonly Charge[]): Promise<boolean> {
    try {
      await charge(charges)
    } catch (error) {
      if (!isThere(error)) {
        owed.notPaid(charges, now())
        return false
      }
    }
    owed.paid(charges)
    return true
  }

  /** Of a cluster some nodes may answer while others do not: those that do are not kept waiting. */
  async function payAll(): Promise<void> {
    const debts = owed.toPay(now())
    for (let i = 0; i < debts.length; i += AT_ONCE) {
      const paid = await Promise.all(debts.slice(i, i + AT_ONCE).map(pay))
      if (paid.includes(false)) quietUntil = elapsed() + RETRY_MS
      if (paid.includes(true)) continue
      for (const charges of debts.slice(i + AT_ONCE)) owed.notPaid(charges, now())
      throw STORE_AWAY
    }
  }

  /** One at a time: nothing is charged twice. */
  function settle(): Promise<void> {
    settling ??= payAll().finally(() => {
      settling = undefined
    })
    return settling
  }

  return {
    settle,
    settleSoon() {
      if (owed.size > 0 && elapsed() >= quietUntil) settle().catch(() => {})
    },
  }
}
