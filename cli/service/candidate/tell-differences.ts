/** Where a difference is told: counted always, and written down as often as somebody could read it. */
import type { Example } from '../../../core/candidate/report.ts'
import type { Log } from '../../../telemetry/log.ts'
import { createFewLines } from '../few-lines.ts'

/** Each line says how many were passed over since the one before. `elapsed` gives ms from anywhere, never going back. */
export function tellDifferences(log: Pick<Log, 'candidateDiffers'>, elapsed: () => number): (example: Example) => void {
  const passedOver = createFewLines(elapsed)
  return (example) => {
    const untold = passedOver()
    if (untold !== undefined) log.candidateDiffers(example, untold)
  }
}
