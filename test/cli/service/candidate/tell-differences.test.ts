/** A candidate that differs at every request fills no log. */
import { expect, it } from 'vitest'
import { tellDifferences } from '../../../../cli/service/candidate/tell-differences.ts'
import type { Example } from '../../../../core/candidate/report.ts'

it('ten lines a second are written, and the next one says how many were not', () => {
  const lines: number[] = []
  let at = 0
  const tell = tellDifferences({ candidateDiffers: (_, untold) => void lines.push(untold) }, () => at)
  for (let i = 0; i < 25; i += 1) tell({} as Example)
  expect(lines).toEqual(Array(10).fill(0))
  at = 999
  tell({} as Example)
  expect(lines).toHaveLength(10)
  at = 1000
  tell({} as Example)
  tell({} as Example)
  expect(lines.slice(10)).toEqual([16, 0])
})
