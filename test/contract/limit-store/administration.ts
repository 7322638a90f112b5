/** What those who administer ask: how limits stand, who uses most, and to begin anew. */
import { expect, it } from 'vitest'
import type { LimitStore, Quota, RateLimit } from '../../../core/limits/limit.ts'
import {
  adjust,
  burst,
  type CreateStore,
  charge,
  DAY,
  daily,
  delaying,
  HOUR,
  look,
  NOON,
  remaining,
  take,
} from './given.ts'

const perUser: Quota = { ...daily, name: 'per-user', by: ['user'] }
const userPace: RateLimit = { ...burst, name: 'user-pace', by: ['user'] }

export function administrationPart(create: CreateStore): void {
  const used = async (store: LimitStore, most = 10, now = NOON) =>
    (await store.buckets(charge(perUser), most, now)).map((bucket) => [bucket.key.split('/')[2], bucket.used])

  it('a look answers what a take would, and changes nothing', async () => {
    const store = await create()
    const asked = [charge(delaying, { cost: 3 }), charge(daily, { cost: 4 }), charge(perUser, { who: 'ada' })]
    for (const _ of [1, 2, 3, 4]) {
      const foretold = await look(store, asked)
      expect(await look(store, asked)).toEqual(foretold)
      expect(await take(store, asked)).toEqual(foretold)
    }
  })

  it('a look leaves no trace: neither a bucket, nor a refusal, nor the time at which it looked', async () => {
    const store = await create()
    await look(store, [charge(perUser, { who: 'ada' }), charge(perUser, { who: 'bob', cost: 11 })])
    expect(await store.buckets(charge(perUser), 10, NOON)).toEqual([])
    await take(store, [charge(daily, { cost: 10 })])
    await look(store, [charge(daily)], NOON + 3 * DAY)
    expect(await take(store, [charge(daily)], NOON)).toMatchObject([{ admitted: false }])
    const other = charge(daily, { tenant: 'globex', cost: 2 })
    for (const at of [NOON, NOON + DAY]) await take(store, [other], at)
    await look(store, [other], NOON + 2 * DAY)
    expect(await take(store, [other], NOON)).toMatchObject([{ remaining: 4 }])
  })

  it('shows the buckets of a series, the most used first, and as many as are asked for', async () => {
    const store = await create()
    for (const [who, cost] of Object.entries({ ada: 2, bob: 7, cleo: 4 })) {
      await take(store, [charge(perUser, { who, cost }), charge(userPace, { who, cost: 1 })])
    }
    expect(await used(store)).toEqual([
      ['bob', 7],
      ['cleo', 4],
      ['ada', 2],
    ])
    expect(await used(store, 2)).toEqual([
      ['bob', 7],
      ['cleo', 4],
    ])
    expect(await used(store, 0)).toEqual([])
  })

  it('tells of each bucket how it stands, and counts apart what was refused', async () => {
    const store = await create()
    const ofAda = charge(perUser, { who: 'ada', cost: 4 })
    for (let i = 0; i < 5; i++) await take(store, [ofAda])
    const [bucket] = await store.buckets(ofAda, 10, NOON)
    expect(bucket).toMatchObject({ key: ofAda.key, used: 8, refused: 3, state: { remaining: 2, resetMs: 12 * HOUR } })
  })

  it('tells of one bucket, also of one that holds nothing, and leaves no trace', async () => {
    const store = await create()
    const [ofAda, ofBob] = [charge(perUser, { who: 'ada', cost: 4 }), charge(perUser, { who: 'bob' })]
    for (let i = 0; i < 3; i++) await take(store, [ofAda])
    await adjust(store, [{ ...ofAda, cost: 5 }])
    for (const _ of [1, 2]) {
      expect(await store.bucket(charge(perUser), ofAda.key, NOON)).toEqual((await store.buckets(ofAda, 10, NOON))[0])
      expect(await store.bucket(ofAda, ofAda.key, NOON)).toMatchObject({
        used: 13,
        refused: 1,
        state: { remaining: 0 },
      })
      expect(await store.bucket(ofAda, ofBob.key, NOON)).toMatchObject({
        used: 0,
        refused: 0,
        state: { remaining: 10 },
      })
    }
    expect(await used(store)).toEqual([['ada', 13]])
    expect(await store.bucket(ofAda, ofAda.key, NOON + DAY)).toMatchObject({ used: 0, state: { remaining: 10 } })
  })

  it('refusals of a limit in shadow are those that it alone would have made', async () => {
    const store = await create()
    const tried = charge({ ...perUser, amount: 2, mode: 'shadow' }, { who: 'ada' })
    for (let i = 0; i < 9; i++) await take(store, [charge(burst), tried])
    expect(await store.buckets(tried, 10, NOON)).toMatchObject([{ used: 2, refused: 3 }])
    expect(await store.buckets(charge(burst), 10, NOON)).toMatchObject([{ used: 5, refused: 4 }])
  })

  it('of a rate, what is missing is used, and refusals are forgotten once it was full again', async () => {
    const store = await create()
    for (let i = 0; i < 8; i++) await take(store, [charge(burst)])
    expect(await store.buckets(charge(burst), 10, NOON)).toMatchObject([{ used: 5, refused: 3 }])
    expect(await store.buckets(charge(burst), 10, NOON + 900)).toMatchObject([{ used: 1, refused: 3 }])
    expect(await store.buckets(charge(burst), 10, NOON + 1000)).toEqual([])
    await take(store, [charge(burst)], NOON + 1000)
    expect(await store.buckets(charge(burst), 10, NOON + 1000)).toMatchObject([{ used: 1, refused: 0 }])
  })

  it('a bucket whose window has ended holds nothing', async () => {
    const store = await create()
    await take(store, [charge(perUser, { who: 'ada' })])
    expect(await used(store, 10, NOON + 12 * HOUR)).toEqual([])
  })

  it('an overdrawn bucket shows all that was used', async () => {
    const store = await create()
    await adjust(store, [charge(perUser, { who: 'ada', cost: 15 }), charge(userPace, { who: 'ada', cost: 8 })])
    expect(await used(store)).toEqual([['ada', 15]])
    expect(await store.buckets(charge(userPace), 10, NOON)).toMatchObject([{ used: 8, state: { remaining: 0 } }])
  })

  it('forgets one bucket, which is full again, and leaves its neighbours', async () => {
    const store = await create()
    const [ada, bob] = [charge(perUser, { who: 'ada' }), charge(perUser, { who: 'bob' })]
    for (let i = 0; i < 4; i++) await take(store, [ada, bob])
    expect(await store.reset(ada, ada.key)).toBe(1)
    expect(await store.reset(ada, ada.key)).toBe(0)
    expect(remaining(await take(store, [ada, bob]))).toEqual([9, 5])
  })

  it('forgets a whole series, and no other', async () => {
    const store = await create()
    const [ada, bob] = [charge(perUser, { who: 'ada' }), charge(perUser, { who: 'bob' })]
    await take(store, [ada, bob, charge(daily), charge(perUser, { who: 'ada', tenant: 'globex' })])
    expect(await store.reset(ada, undefined)).toBe(2)
    expect(await used(store)).toEqual([])
    expect(remaining(await take(store, [charge(daily), charge(perUser, { who: 'ada', tenant: 'globex' })]))).toEqual([
      8, 8,
    ])
    expect(await store.reset(charge(daily), undefined)).toBe(1)
    expect(remaining(await take(store, [charge(daily)]))).toEqual([9])
  })
}
