/** What was found is bounded, whatever comes. */
import { expect, it } from 'vitest'
import { createReport, type Example } from '../../../core/candidate/report.ts'

const example = (requestId: string, route = 'orders'): Example => ({
  at: 0,
  requestId,
  method: 'GET',
  path: '/',
  route,
  live: { decision: 'allow', reason: 'allowed' },
  candidate: { decision: 'deny', reason: 'rate_limited' },
  differences: [{ kind: 'decision', live: 'allow', candidate: 'deny' }],
})

it('the latest examples are kept, the latest first, and all are counted', () => {
  const report = createReport(3)
  for (let i = 0; i < 10; i += 1) report.differed(example(`r-${i}`))
  report.agreed()
  const { compared, different, counts, examples } = report.read()
  expect({ compared, different }).toEqual({ compared: 11, different: 10 })
  expect(examples.map(({ requestId }) => requestId)).toEqual(['r-9', 'r-8', 'r-7'])
  expect(counts).toEqual([{ kind: 'decision', route: 'orders', live: 'allowed', candidate: 'rate_limited', count: 10 }])
})

it('kinds by route are told apart, the most frequent first, and are not more than so many', () => {
  const report = createReport(3, 2)
  for (const route of ['a', 'b', 'b', 'c', 'd']) report.differed(example('r', route))
  const { counts, uncounted } = report.read()
  expect(counts.map(({ route, count }) => [route, count])).toEqual([
    ['b', 2],
    ['a', 1],
  ])
  expect(uncounted).toBe(2)
})
