/** How long a server waits for its successor, on a clock of the test's. */
import { describe, expect, it } from 'vitest'
import { lookForSuccessor, type SuccessionParts } from '../../cli/succession.ts'

/** A world in which time passes by waiting only; things happen at their times, in ms. */
function world({ successorAt = Number.POSITIVE_INFINITY, parentEndsAt = Number.POSITIVE_INFINITY, hasParent = true }) {
  let now = 0
  const parts: SuccessionParts = {
    isExpected: true,
    isThere: () => now >= successorAt,
    hasParent,
    isParentGone: () => now >= parentEndsAt,
    elapsed: () => now,
    pause: async (ms) => {
      now += ms
    },
  }
  return { parts, now: () => now }
}

/** How long it goes on after a signal. */
async function waited(happens: Parameters<typeof world>[0], mostMs = 10_000): Promise<number> {
  const { parts, now } = world(happens)
  let isInPeace = true
  // the look in peace never goes on: on this clock it would let time pass
  const pause = (ms: number) => (isInPeace ? new Promise(() => {}) : parts.pause(ms))
  const succession = lookForSuccessor({ ...parts, pause })
  isInPeace = false
  await succession.afterSignal(mostMs)
  return now()
}

describe('after a signal', () => {
  it('whose sender ends, as Kong’s worker does, the successor is waited for, and no longer than until it is there', async () => {
    const ms = await waited({ parentEndsAt: 100, successorAt: 3000 })
    expect(ms).toBeGreaterThanOrEqual(3000)
    expect(ms).toBeLessThanOrEqual(3100)
  })

  it('and no successor, it is five seconds, or the time of a drain where that is less', async () => {
    expect(await waited({ parentEndsAt: 100 })).toBe(5000)
    expect(await waited({ parentEndsAt: 100 }, 400)).toBe(400)
    expect(await waited({ parentEndsAt: 100 }, 0)).toBe(0)
  })

  it('from a parent that lives on, it is a second', async () => {
    expect(await waited({})).toBe(1000)
  })

  it('to a server whose socket is never taken over, nothing is waited for', async () => {
    const { parts, now } = world({ parentEndsAt: 0, successorAt: 100 })
    await lookForSuccessor({ ...parts, isExpected: false }).afterSignal(10_000)
    expect(now()).toBe(0)
  })

  it('and no parent but the system’s first process, nothing is waited for', async () => {
    expect(await waited({ hasParent: false })).toBe(0)
  })
})

it('without a signal, a successor is noticed within about a second', async () => {
  const { parts, now } = world({ successorAt: 7500 })
  await lookForSuccessor(parts).replaced
  expect(now()).toBe(8050)
})
