/** Where a difference is told: counted always, and written down as often as somebody could read it. */
import type { Example } from '../../../core/candidate/report.ts'
import type { Log } from '../../../telemetry/log.ts'

const LINES_PER_SECOND = 10
const SECOND_MS = 1000

/** Each line says how many were passed over since the one before. `elapsed` gives ms from anywhere, never going back. */
export function tellDifferences(log: Pick<Log, 'candidateDiffers'>, elapsed: () => number): (example: Example) => void {
  let began = Number.NEGATIVE_INFINITY
  let lines = 0
  let untold = 0
  return (example) => {
    const at = elapsed()
    if (at - began >= SECOND_MS) {
      began = at
      lines = 0
    }
    if (lines >= LINES_PER_SECOND) {
      untold += 1
      return
    }
    lines += 1
    log.candidateDiffers(example, untold)
    untold = 0
  }
}
