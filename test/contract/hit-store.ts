/** The contract of a store of hits: every store passes this one suite. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hit, HitStore } from '../../core/descriptors/hit-store.ts'

export const hit = (key: string, addend = 1, { series = 's', endsAt = 1000 } = {}): Hit => ({
  series,
  key,
  endsAt,
  addend,
})

/** `create` gives an empty store for each test; `runs` is how many histories are tried. */
export function hitStoreContract(name: string, create: () => HitStore | Promise<HitStore>, runs = 100): void {
  const add = async (store: HitStore, ...hits: readonly Hit[]) => store.add(hits, 0)

  describe(`${name} keeps the promises of a store of hits`, () => {
    it('answers the count after each hit, in the order of the hits', async () => {
      const store = await create()
      expect(await add(store, hit('a'), hit('b', 5), hit('a', 2), hit('a', 0))).toEqual([1, 5, 3, 3])
    })

    it('gives back, never below none', async () => {
      const store = await create()
      const answers = await add(store, hit('a', 5), hit('a', -2), hit('a', -9), hit('a', 1), hit('b', -1))
      expect(answers).toEqual([5, 3, 0, 1, 0])
    })

    it('stops at the greatest safe integer', async () => {
      const store = await create()
      const most = Number.MAX_SAFE_INTEGER
      const answers = await add(store, hit('a', most), hit('a', most), hit('a', 1), hit('a', -1))
      expect(answers).toEqual([most, most, most, most - 1])
    })

    it('goes on under another series: a limit that moved in the configuration forgets nothing', async () => {
      const store = await create()
      expect(await add(store, hit('a', 3), hit('a', 1, { series: 'other' }))).toEqual([3, 4])
    })

    it('forgets a window that is over, and none that is not', async () => {
      const store = await create()
      await add(store, hit('a', 3), hit('a', 4, { endsAt: 5000 }))
      expect(await store.add([hit('a', 0)], 999)).toEqual([3])
      expect(await store.add([hit('a', 0), hit('a', 0, { endsAt: 5000 })], 1000)).toEqual([0, 4])
    })

    it('tells keys apart whatever stands in them', async () => {
      const store = await create()
      const keys = ['', ' ', '{}', '{a}', 'a}', 'a\nb', 'a:b', '*', '__proto__', 'k'.repeat(5000)]
      await add(store, ...keys.map((key, i) => hit(key, i + 1)))
      expect(await add(store, ...keys.map((key) => hit(key, 0)))).toEqual(keys.map((_, i) => i + 1))
    })

    it('counts 400 at once, each of them once', async () => {
      const store = await create()
      const answers = await Promise.all(Array.from({ length: 400 }, async () => add(store, hit('a'))))
      expect(answers.flat().toSorted((one, other) => one - other)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1))
    })

    it('is what a plain sum says', async () => {
      const some = fc.record({
        series: fc.constantFrom('s', 't'),
        key: fc.constantFrom('a', 'b', 'c'),
        endsAt: fc.constantFrom(1000, 2000),
        addend: fc.integer({ min: -5, max: 9 }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(some, { maxLength: 60 }), async (hits) => {
          const store = await create()
          const sums = new Map<string, number>()
          for (const one of hits) {
            const which = `${one.key} ${one.endsAt}`
            sums.set(which, Math.max(0, (sums.get(which) ?? 0) + one.addend))
            expect(await add(store, one)).toEqual([sums.get(which)])
          }
        }),
        { numRuns: runs },
      )
    })
  })
}
