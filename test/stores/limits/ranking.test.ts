/** The ranking by size. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRanking, type Ranked } from '../../../stores/limits/ranking.ts'

it('the largest is the largest, whatever grew, shrank or left before', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 12 })), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(changes, (resizes) => {
      const items: Ranked[] = Array.from({ length: 10 }, () => ({ size: 0, place: 0 }))
      const ranking = createRanking<Ranked>()
      for (const [which, size] of resizes) {
        const item = items[which]
        if (item) ranking.resize(item, size)
        const most = Math.max(...items.map((one) => one.size))
        expect(ranking.largest()?.size ?? 0).toBe(most)
      }
    }),
  )
})

it('taken away one by one, the largest first, all come exactly once', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 3 })), { maxLength: 60 })
  fc.assert(
    fc.property(changes, (resizes) => {
      const items: Ranked[] = Array.from({ length: 10 }, () => ({ size: 0, place: 0 }))
      const ranking = createRanking<Ranked>()
      for (const [which, size] of resizes) {
        const item = items[which]
        if (item) ranking.resize(item, size)
      }
      const inOrder = items.map((one) => one.size).filter((size) => size > 0)
      const came: number[] = []
      for (let one = ranking.largest(); one && came.length <= items.length; one = ranking.largest()) {
        came.push(one.size)
        ranking.resize(one, 0)
      }
      expect(came).toEqual(inOrder.sort((one, other) => other - one))
    }),
  )
})

it('what has no size is not in it', () => {
  const ranking = createRanking<Ranked>()
  const item = { size: 0, place: 0 }
  ranking.resize(item, 3)
  ranking.resize(item, 0)
  expect(ranking.largest()).toBeUndefined()
})
