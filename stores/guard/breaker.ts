/** Whether a store is asked at all: not after some failures one after the other, until it was seen to answer again. */
import { LATE, withinBudget } from './budget.ts'

export interface BreakerParts {
  /** How long the probe may take, in ms. */
  readonly timeoutMs: number
  /** Resolves where the store does what it is there for; best something that is written, which a read-only or full one refuses. */
  readonly probe: () => Promise<unknown>
  /** What has to be done before anybody else asks again; asked anew with the next probe where it rejects. */
  readonly recover?: () => Promise<unknown>
  /** Told when the store is given up, and why, and when it is asked again. The text holds no credential where the store's errors do not. */
  readonly onChange?: (isOpen: boolean, why: string) => void
}

export interface Breaker {
  /** While it is open nobody asks and nobody waits. */
  isOpen(): boolean
  succeeded(): void
  /** Of a question sent at `sentAt`, known at `at`, both ms from anywhere: those under way at one moment are one failure together. */
  failed(why: string, sentAt: number, at: number): void
  open(why: string): void
  /** Probes at once where it is open: the connection has come back. */
  retryNow(): void
  /** No probe any more. */
  close(): void
}

/** Each of a question that was sent when the one before was known: one stall, however many wait in it, is one failure. */
const FAILURES_IN_A_ROW = 3
const FIRST_PROBE_MS = 250
const LONGEST_PAUSE_MS = 2000
/** From when a store is back until every instance has found that out, in ms, besides what its probes take. */
export const FOUND_WITHIN_MS = LONGEST_PAUSE_MS + FIRST_PROBE_MS
/** Nobody waits for a recovery, but a store that hangs in it must be probed again. */
const RECOVERY_MS = 5000

/** Closed at first. It probes by itself, and none of its timers keeps a process alive. */
export function createBreaker({ timeoutMs, probe, recover, onChange = () => {} }: BreakerParts): Breaker {
  let isOpen = false
  let isClosed = false
  let failures = 0
  let failedAt = Number.NEGATIVE_INFINITY
  const probing = createProbing(
    async () => {
      if ((await withinBudget(probe(), timeoutMs)) === LATE) return false
      return !recover || (await withinBudget(recover(), RECOVERY_MS)) !== LATE
    },
    () => {
      isOpen = false
      failures = 0
      onChange(false, 'it answers again')
    },
  )

  function open(why: string): void {
    if (isOpen || isClosed) return
    isOpen = true
    onChange(true, why)
    probing.later()
  }

  return {
    isOpen: () => isOpen,
    open,
    succeeded() {
      failures = 0
      if (!isOpen) probing.soonAgain()
    },
    failed(why, sentAt, at) {
      if (sentAt < failedAt) return
      failedAt = at
      failures += 1
      if (failures >= FAILURES_IN_A_ROW) open(why)
    },
    retryNow() {
      if (isOpen) probing.now()
    },
    close() {
      isClosed = true
      probing.end()
    },
  }
}

interface Probing {
  /** After a pause, which is longer each time: a store that passes probes and fails questions is left alone longer and longer. */
  later(): void
  /** Soon, where a probe has just failed: one that fails may be what ends the connection, and then each new one would bring the next. */
  now(): void
  /** Pauses begin short again. */
  soonAgain(): void
  end(): void
}

/** Probes until `isBack` says so. One that rejects has failed. */
function createProbing(isBack: () => Promise<boolean>, onBack: () => void): Probing {
  let isUnderWay = false
  let isOver = false
  let pauseMs = FIRST_PROBE_MS
  let alarm: NodeJS.Timeout | undefined
  let rest: NodeJS.Timeout | undefined

  function later(): void {
    clearTimeout(alarm)
    alarm = setTimeout(begin, pauseMs).unref()
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }

  async function begin(): Promise<void> {
    if (isUnderWay || isOver) return
    clearTimeout(alarm)
    isUnderWay = true
    const back = await isBack().catch(() => false)
    isUnderWay = false
    if (isOver) return
    if (back) return onBack()
    rest = setTimeout(() => {
      rest = undefined
    }, FIRST_PROBE_MS).unref()
    later()
  }

  return {
    later,
    now() {
      clearTimeout(alarm)
      if (rest === undefined) begin()
      else alarm = setTimeout(begin, FIRST_PROBE_MS).unref()
    },
    soonAgain() {
      pauseMs = FIRST_PROBE_MS
    },
    end() {
      isOver = true
      clearTimeout(alarm)
      clearTimeout(rest)
    },
  }
}
