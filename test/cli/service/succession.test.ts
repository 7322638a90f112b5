/** How long a server waits for its successor, on a clock of the test's. */
import { describe, expect, it } from 'vitest'
import { expectedSuccessor, type SuccessionParts, successor } from '../../../cli/service/succession.ts'

/** Time passes by waiting only; the successor comes at its time, in ms. */
function world(successorAt: number) {
  let now = 0
  const parts: SuccessionParts = {
    isThere: () => now >= successorAt,
    elapsed: () => now,
    pause: async (ms) => {
      now += ms
    },
  }
  return { parts, now: () => now }
}

/** How long it goes on once it is told of a successor. */
async function waited(successorAt: number, mostMs = 10_000): Promise<number> {
  const { parts, now } = world(successorAt)
  await expectedSuccessor(parts, mostMs)
  return now()
}

describe('an expected successor', () => {
  it('is waited for, and no longer than until it is there', async () => {
    const ms = await waited(3000)
    expect(ms).toBeGreaterThanOrEqual(3000)
    expect(ms).toBeLessThanOrEqual(3100)
    expect(await waited(0)).toBeLessThanOrEqual(100)
  })

  it('that does not come is waited for five seconds, or the time of a drain where that is less', async () => {
    expect(await waited(Number.POSITIVE_INFINITY)).toBe(5000)
    expect(await waited(Number.POSITIVE_INFINITY, 400)).toBe(400)
    expect(await waited(Number.POSITIVE_INFINITY, 0)).toBe(0)
  })
})

it('one that nobody has told of is noticed within about a second', async () => {
  const { parts, now } = world(7500)
  await successor(parts)
  expect(now()).toBe(8050)
})
