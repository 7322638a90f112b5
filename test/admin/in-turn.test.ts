/** Work for one answer is done in slices, between which others have their turn. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createSlices, inTurn } from '../../admin/in-turn.ts'
import { NOON } from '../support/gate.ts'

/** Asks for ten names at a cost of so many ms each; tells how many had been asked at each turn of the event loop. */
async function turnsOf(costMs: number, atATime: number): Promise<readonly number[]> {
  let now = NOON
  let asked = 0
  let isOver = false
  const seen: number[] = []
  const watching = (async () => {
    while (!isOver) {
      await setImmediate()
      seen.push(asked)
    }
  })()
  const names = Array.from({ length: 10 }, (_, index) => `flag-${index}`)
  const ask = async (name: string) => {
    now += costMs
    asked += 1
    return name
  }
  const answers = await inTurn(
    names,
    ask,
    createSlices(() => now),
    atATime,
  )
  isOver = true
  await watching
  expect(answers).toEqual(names)
  return seen
}

describe('questions in turn', () => {
  it('let others have their turn after each five milliseconds of work', async () => {
    const seen = await turnsOf(2, 1)
    expect(seen.filter((asked) => asked < 10)).toEqual([3, 6, 9])
  })

  it('that cost nothing are asked in one turn', async () => {
    expect((await turnsOf(0, 1)).filter((asked) => asked < 10)).toEqual([])
  })

  it('of which each is long have a turn each', async () => {
    expect((await turnsOf(90, 1)).filter((asked) => asked < 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('by a clock that is set back give way as well', async () => {
    expect((await turnsOf(-1, 1)).filter((asked) => asked < 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('for somebody outside are asked together, so many at a time', async () => {
    expect((await turnsOf(5, 4)).filter((asked) => asked < 10)).toEqual([4, 8])
  })
})
