/** A budget and a breaker before a store: nobody waits longer, nobody asks what is known to be away, and all by itself again. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AWAY, createGuard, type GuardParts } from '../../../stores/guard/guard.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** What one turn of the event loop takes on the clock of these tests. */
const A_TURN = 1

const NEVER = () => new Promise<never>(() => {})
const answersIn = (ms: number) => () => new Promise<string>((resolve) => setTimeout(() => resolve('yes'), ms))
const fails = () => Promise.reject(new Error('READONLY'))

function guardOf(parts: Partial<GuardParts> = {}) {
  const changes: [isOpen: boolean, why: string, at: number][] = []
  const begun = performance.now()
  const answers: [operation: string, outcome: string, ms: number][] = []
  const guard = createGuard({
    timeoutMs: 10,
    elapsed: () => performance.now(),
    probe: NEVER,
    onChange: (isOpen, why) => changes.push([isOpen, why, performance.now() - begun]),
    onAnswer: (...answer) => answers.push(answer),
    ...parts,
  })
  const opened = async () => {
    for (let i = 0; i < 5; i += 1) await guard.ask(fails)
    return guard
  }
  return { guard, changes, answers, opened }
}

/** What it answers and after how many ms. */
async function timed(asked: unknown): Promise<[unknown, number]> {
  const begun = performance.now()
  const settled = Promise.resolve(asked).then((answer): [unknown, number] => [answer, performance.now() - begun])
  await vi.advanceTimersByTimeAsync(100)
  return settled
}

describe('the budget', () => {
  it('an answer within it is the answer', async () => {
    const { guard, answers } = guardOf()
    expect(await timed(guard.ask(answersIn(9), 'take'))).toEqual(['yes', 9])
    expect(answers).toEqual([['take', 'answered', 9]])
  })

  it('nobody waits longer than it, whether the store is a little late or hangs', async () => {
    const { guard, answers } = guardOf()
    expect(await timed(guard.ask(answersIn(12)))).toEqual([AWAY, 10 + A_TURN])
    expect(await timed(guard.ask(NEVER))).toEqual([AWAY, 10 + A_TURN])
    expect(answers.map(([, outcome]) => outcome)).toEqual(['late', 'late'])
  })

  it('what fails at once is known at once', async () => {
    const { guard } = guardOf()
    expect(await timed(guard.ask(fails))).toEqual([AWAY, 0])
  })

  it('a late answer and a late failure do nothing', async () => {
    const { guard } = guardOf()
    const lateFailure = () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 50))
    expect(await timed(guard.ask(lateFailure))).toEqual([AWAY, 10 + A_TURN])
    await timed(guard.ask(answersIn(50)))
    expect(guard.counts).toEqual({ answered: 0, failed: 0, late: 2, spared: 0 })
  })

  it('what needs no store is answered in the same tick, and is no question', () => {
    const { guard } = guardOf()
    expect(guard.ask(() => 'known')).toBe('known')
    expect(guard.counts.answered).toBe(0)
  })

  it('what we do wrong ourselves is no failure of the store', () => {
    const { guard } = guardOf()
    const broken = () => {
      throw new RangeError('ours')
    }
    expect(() => guard.ask(broken)).toThrow('ours')
    expect(guard.counts.failed).toBe(0)
  })

  it('leaves no timer behind', async () => {
    const { guard } = guardOf()
    await guard.ask(() => Promise.resolve('yes'))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a busy process', () => {
  beforeEach(() => vi.useRealTimers())

  it('reads what has come in before it takes its store for dead', async () => {
    const { guard } = guardOf()
    const { port1, port2 } = new MessageChannel()
    const asked = guard.ask(() => new Promise((resolve) => port2.on('message', resolve)))
    // the answer lies there unread while this process does something else for longer than the budget
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    port1.postMessage('yes')
    const until = performance.now() + 30
    while (performance.now() < until);
    expect(await asked).toBe('yes')
    port1.close()
  })
})

describe('the breaker', () => {
  it('opens after three failures one after the other, and then nobody asks and nobody waits', async () => {
    const { guard, changes } = guardOf()
    for (let i = 0; i < 2; i += 1) await guard.ask(fails)
    expect(guard.isOpen()).toBe(false)
    await guard.ask(fails)
    expect(changes).toEqual([[true, 'READONLY', 0]])
    const question = vi.fn(fails)
    expect(guard.ask(question)).toBe(AWAY)
    expect(question).not.toHaveBeenCalled()
    expect(guard.counts).toMatchObject({ failed: 3, spared: 1 })
  })

  it('stays closed in one stall, however many questions were under way in it', async () => {
    const { guard, changes } = guardOf()
    const asked = Array.from({ length: 64 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i / 7))
      return guard.ask(answersIn(100))
    })
    await vi.advanceTimersByTimeAsync(100)
    expect(await Promise.all(asked)).toEqual(Array(64).fill(AWAY))
    expect(changes).toEqual([])
    expect(await timed(guard.ask(answersIn(2)))).toEqual(['yes', 2])
  })

  it('opens within three budgets where nothing is answered any more', async () => {
    const { guard, changes } = guardOf()
    for (let ms = 0; ms < 50; ms += 1) {
      for (let i = 0; i < 8; i += 1) void guard.ask(NEVER)
      await vi.advanceTimersByTimeAsync(1)
    }
    expect(changes).toMatchObject([[true, 'no answer within 10 ms', expect.closeTo(3 * (10 + A_TURN), -1)]])
  })

  it('stays closed where the store is there, and only this one question cannot be answered', async () => {
    const { guard, changes } = guardOf({ isThere: (failure) => failure instanceof RangeError })
    for (let i = 0; i < 9; i += 1) expect(await guard.ask(() => Promise.reject(new RangeError('torn')))).toBe(AWAY)
    expect(changes).toEqual([])
    expect(guard.counts.failed).toBe(9)
  })

  it('stays closed while answers come in between', async () => {
    const { guard, changes } = guardOf()
    for (let i = 0; i < 40; i += 1) await guard.ask(i % 3 === 2 ? () => Promise.resolve() : fails)
    expect(changes).toEqual([])
  })

  it('opens at once without a connection', () => {
    const { guard, changes } = guardOf({ isUp: () => false })
    expect(guard.ask(NEVER)).toBe(AWAY)
    expect(changes).toEqual([[true, 'not connected', 0]])
  })

  it('probes after 250 ms, then after twice as long each time, up to 2 s', async () => {
    const at: number[] = []
    const begun = performance.now()
    const probe = () => {
      at.push(performance.now() - begun)
      return fails()
    }
    await guardOf({ probe }).opened()
    await vi.advanceTimersByTimeAsync(8000)
    expect(at).toEqual([250, 750, 1750, 3750, 5750, 7750])
  })

  it('closes by itself with the first probe that is answered, though nobody asks', async () => {
    let isBack = false
    const probe = () => (isBack ? Promise.resolve() : fails())
    const { opened, changes } = guardOf({ probe })
    const guard = await opened()
    await vi.advanceTimersByTimeAsync(300)
    isBack = true
    await vi.advanceTimersByTimeAsync(450)
    expect(changes.map(([isOpen, , at]) => [isOpen, at])).toEqual([
      [true, 0],
      [false, 750],
    ])
    expect(await guard.ask(() => Promise.resolve('yes'))).toBe('yes')
  })

  it('a probe that hangs or comes late closes nothing, and is followed by the next', async () => {
    const probe = vi.fn(answersIn(12))
    const { opened } = guardOf({ probe })
    const guard = await opened()
    await vi.advanceTimersByTimeAsync(4000)
    expect(probe).toHaveBeenCalledTimes(4)
    expect(guard.isOpen()).toBe(true)
  })

  it('is open until what was owed is settled', async () => {
    const recover = vi.fn(answersIn(300))
    recover.mockImplementationOnce(fails)
    const { opened, changes } = guardOf({ probe: () => Promise.resolve(), recover })
    const guard = await opened()
    await vi.advanceTimersByTimeAsync(1000)
    expect(guard.isOpen()).toBe(true)
    await vi.advanceTimersByTimeAsync(100)
    expect(changes.map(([isOpen, , at]) => [isOpen, at])).toEqual([
      [true, 0],
      [false, 1050],
    ])
  })

  it('looks at once when the connection has come back', async () => {
    const { opened } = guardOf({ probe: () => Promise.resolve() })
    const guard = await opened()
    guard.retryNow()
    await vi.advanceTimersByTimeAsync(0)
    expect(guard.isOpen()).toBe(false)
  })

  it('leaves a store that answers probes and fails questions alone for longer and longer', async () => {
    const { guard, changes } = guardOf({ probe: () => Promise.resolve() })
    for (let ms = 0; ms < 10_000; ms += 1) {
      await guard.ask(fails)
      await vi.advanceTimersByTimeAsync(1)
    }
    const pauses = changes.flatMap(([isOpen, , at], i) =>
      isOpen ? [] : [Math.round((at - (changes[i - 1]?.[2] ?? 0)) / 250)],
    )
    expect(pauses).toEqual([1, 2, 4, 8, 8, 8, 8])
  })

  it('a probe under way is the only one, and none comes after the end', async () => {
    const probe = vi.fn(NEVER)
    const guard = await guardOf({ probe }).opened()
    guard.retryNow()
    guard.retryNow()
    expect(probe).toHaveBeenCalledTimes(1)
    guard.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(probe).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
