/** What those who administer ask of the limits in Redis: how buckets stand, and to forget them. */
import { type Counter, copyOf, openCounter, viewOf } from '../../../core/limits/counter.ts'
import type { BucketView, Series } from '../../../core/limits/limit.ts'
import { mostUsed } from '../../limits/most-used.ts'
import type { RedisConnection } from '../connection.ts'
import { storeFailure } from '../failure.ts'
import { bucketName, seriesName } from '../keys.ts'
import { type Script, script } from '../script.ts'
import { counterIn } from './stored.ts'

export interface Views {
  buckets(series: Series, most: number, now: number): Promise<readonly BucketView[]>
  bucket(series: Series, key: string, now: number): Promise<BucketView>
  reset(series: Series, key: string | undefined): Promise<number>
}

/** So many buckets are read or forgotten in one command, so that nobody else waits for long. */
const PAGE = 1000

const forget: Script<readonly [number, number]> = script(['limits/reset.lua'], (reply) => {
  const [gone, more] = Array.isArray(reply) ? reply : []
  return [Number(gone), Number(more)]
})

/** `timeOf` gives the time to look with, ms since the epoch. Rejects where Redis does not answer. */
export function createViews(connection: RedisConnection, timeOf: (now: number) => Promise<number>): Views {
  const { client, place } = connection
  const nameOf = ({ tenant }: Series, key: string) => bucketName(place.prefix, tenant, key)

  async function heldOf(series: Series): Promise<(readonly [key: string, counter: Counter])[]> {
    const held: (readonly [string, Counter])[] = []
    const own = counterIn(await client.getBuffer(nameOf(series, series.series)), series)
    if (own) held.push([series.series, own])
    const begins = nameOf(series, '').length
    const index = seriesName(place.prefix, series.tenant, series.series)
    for (let at = 0; ; at += PAGE) {
      const names = await client.zrange(index, `${at}`, `${at + PAGE - 1}`)
      const stored = names.length > 0 ? await client.mgetBuffer(names) : []
      for (const [i, name] of names.entries()) {
        const counter = counterIn(stored[i], series)
        if (counter) held.push([name.slice(begins), counter])
      }
      if (names.length < PAGE) return held
    }
  }

  return {
    buckets: (series, most, now) =>
      telling(connection, async () => {
        const time = await timeOf(now)
        const found = mostUsed(await heldOf(series), (known) => openCounter(copyOf(known), series, time), most)
        return found.map(([key, counter]) => viewOf(counter, series, key, time))
      }),
    bucket: (series, key, now) =>
      telling(connection, async () => {
        const time = await timeOf(now)
        const known = counterIn(await client.getBuffer(nameOf(series, key)), series)
        return viewOf(openCounter(known, series, time), series, key, time)
      }),
    async reset(series, key) {
      const index = seriesName(place.prefix, series.tenant, series.series)
      const one = (name: string) => forget(connection, [index, name], [])
      if (key !== undefined) return (await one(nameOf(series, key)))[0]
      let [sum] = await one(nameOf(series, series.series))
      for (;;) {
        const [gone, more] = await forget(connection, [index], [])
        sum += gone
        if (more === 0) return sum
      }
    },
  }
}

/** Failures in words that may be logged; the client of a cluster that was never up would let commands wait. */
async function telling<T>({ isUp }: RedisConnection, work: () => Promise<T>): Promise<T> {
  if (!isUp()) throw storeFailure(new Error('not connected'))
  try {
    return await work()
  } catch (error) {
    throw storeFailure(error)
  }
}
