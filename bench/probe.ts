/** Loaded into a measured process before its own code: tells the bench, on request, what the process has used. */
import { performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

export type ProbeOrder = 'usage' | 'memory' | 'watch' | 'gap'

export interface ProbeAnswer {
  /** User and system time of all threads since the start, in µs. */
  readonly cpuMicros: number
  readonly heapBytes: number
  readonly rssBytes: number
  /** The longest time since `watch` in which a timer of one millisecond was not served, in ms. */
  readonly longestGapMs: number
}

let longestGapMs = 0
let timer: NodeJS.Timeout | undefined

function watchLoop(): void {
  clearInterval(timer)
  longestGapMs = 0
  let last = performance.now()
  timer = setInterval(() => {
    const now = performance.now()
    longestGapMs = Math.max(longestGapMs, now - last)
    last = now
  }, 1).unref()
}

const beforeAnswer: Readonly<Record<ProbeOrder, () => void>> = {
  usage() {},
  watch: watchLoop,
  gap: () => clearInterval(timer),
  memory() {
    // the second collection takes what the first has only finalized; there is none without --expose-gc
    globalThis.gc?.()
    globalThis.gc?.()
  },
}

function answer(order: ProbeOrder): ProbeAnswer {
  beforeAnswer[order]()
  const { user, system } = process.cpuUsage()
  const { heapUsed, rss } = process.memoryUsage()
  return { cpuMicros: user + system, heapBytes: heapUsed, rssBytes: rss, longestGapMs }
}

// threads of the process inherit the option that loads this file
if (isMainThread && process.send) {
  process.on('message', (order: ProbeOrder) => process.send?.(answer(order)))
  process.channel?.unref()
}
