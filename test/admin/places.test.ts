/** Costly questions are few at once, and wait within bounds. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Answer, done } from '../../admin/answer.ts'
import { createPlaces } from '../../admin/places.ts'

const FINE = done(200, {})

/** Work that is under way until it is ended. */
function held() {
  const ends: (() => void)[] = []
  const work = () => new Promise<Answer>((resolve) => void ends.push(() => resolve(FINE)))
  return { ends, work }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate()
}

describe('places', () => {
  it('are taken by so many at once; who waits has the next that is free, who comes then is told to come again', async () => {
    const inPlace = createPlaces(2, 1)
    const { ends, work } = held()
    const answers = [inPlace(work), inPlace(work), inPlace(work)]
    expect(await inPlace(work)).toMatchObject({ ok: false, code: 'busy' })
    await turns(5)
    expect(ends).toHaveLength(2)
    ends[0]?.()
    await turns(5)
    expect(ends).toHaveLength(3)
    for (const end of ends) end()
    expect(await Promise.all(answers)).toEqual([FINE, FINE, FINE])
    const next = inPlace(work)
    await turns(5)
    ends[3]?.()
    expect(await next).toBe(FINE)
  })

  it('are free again after work that fails', async () => {
    const inPlace = createPlaces(1, 0)
    await expect(inPlace(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await inPlace(async () => FINE)).toBe(FINE)
  })

  it('give each work a turn of the event loop of its own', async () => {
    const inPlace = createPlaces(1, 10)
    let begun = 0
    const work = async () => {
      begun += 1
      return FINE
    }
    const all = Promise.all([inPlace(work), inPlace(work), inPlace(work)])
    const seen: number[] = []
    for (let turn = 0; turn < 3; turn += 1) {
      await setImmediate()
      seen.push(begun)
    }
    await all
    expect(seen).toEqual([1, 2, 3])
  })
})
