/** The time after an outage in which other instances may not have found out yet that the shared store is back. */

export interface RecoveryParts {
  /** How many instances are seen now. */
  readonly instances: () => number
  /** How long the others may take to find out, in ms. */
  readonly lastsMs: number
  /** Charges the store for what was admitted without it. */
  readonly settle: () => Promise<void>
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
}

export interface Recovery {
  /** Whether others may still owe the store what it does not know of. Never where there are none. */
  isOn(): boolean
  /** The most that were seen since the store went, until all have had the time to come back: who is quicker is not alone. */
  instances(): number
  storeWent(): void
  storeIsBack(): void
  close(): void
}

/** What others do not know yet of this instance is what it has admitted since it charged for the last time. */
const CHARGED_EVERY_MS = 100

/** Off at first. None of its timers keeps a process alive. */
export function createRecovery({ instances, lastsMs, settle, elapsed }: RecoveryParts): Recovery {
  let most = 0
  /** Another object for each outage, so that what is left over from one does nothing in the next. */
  let current: { readonly endsAt: number } | undefined
  let alarm: NodeJS.Timeout | undefined

  function stop(): void {
    clearTimeout(alarm)
    current = undefined
  }

  async function settleUntilTheEnd(mine: typeof current): Promise<void> {
    await settle().catch(() => {})
    if (!mine || current !== mine) return
    if (elapsed() < mine.endsAt) {
      alarm = setTimeout(settleUntilTheEnd, CHARGED_EVERY_MS, mine).unref()
      return
    }
    stop()
    most = 0
  }

  return {
    isOn: () => current !== undefined,
    instances: () => Math.max(most, instances()),
    storeWent() {
      stop()
      most = Math.max(most, instances())
    },
    storeIsBack() {
      stop()
      if (Math.max(most, instances()) <= 1) return
      current = { endsAt: elapsed() + lastsMs }
      alarm = setTimeout(settleUntilTheEnd, CHARGED_EVERY_MS, current).unref()
    },
    close: stop,
  }
}
