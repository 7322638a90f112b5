/**
 * A shared store of limits that keeps every promise of `RemoteLimits` with the core's own arithmetic, and does on demand what a
 * real one only does in an accident: hangs, fails, is slow, forgets. It has a clock of its own, as Redis has.
 */
import { type Counter, copyOf, openCounter, settleCost, viewOf } from '../../core/limits/counter.ts'
import type { Charge, Series } from '../../core/limits/limit.ts'
import { adjustFormer, refillUses } from '../../core/limits/rate-uses.ts'
import { type Drawn, type Grant, NO_GRANT, type RemoteLimits, type Wish } from '../../core/limits/remote.ts'
import { adjustAll, takeAll } from '../../core/limits/take-all.ts'

/**
 * What a bucket has granted: of a quota in the present window, of a rate in the epoch that began at `epoch` and lasts `span` ms,
 * and in the one before.
 */
interface Bucket {
  counter: Counter
  out: number
  before: number
  epoch: number
  span: number
  /** Of a quota: which grants are counted in `out`, since a bucket that was reset is another. */
  since: number
}

type Rate = Extract<Counter, { kind: 'rate' }>

export interface FakeRemote extends RemoteLimits {
  /** `hangs`: what is asked never arrives. `deaf`: it is done, and the answer never arrives. */
  mode: 'answers' | 'hangs' | 'deaf' | 'fails'
  /** From the question to its answer; what is asked happens in the middle. 0 answers with the next microtasks. */
  latencyMs: number
  readonly calls: Record<'take' | 'look' | 'adjust' | 'draw' | 'giveBack' | 'other', number>
  loseData(): void
}

const NEVER = () => new Promise<never>(() => {})

/** `clock` answers its time, ms since the epoch; without one it takes the caller's. */
export function createFakeRemote(clock?: () => number): FakeRemote {
  const buckets = new Map<string, Bucket>()
  const calls = { take: 0, look: 0, adjust: 0, draw: 0, giveBack: 0, other: 0 }
  let lives = 0
  const time = (now: number) => clock?.() ?? now

  function open(series: Series, key: string, now: number): Bucket {
    const known = buckets.get(key)
    if (known?.counter.kind === 'rate') endEpochs(known, known.counter, now)
    const start = known?.counter.kind === 'quota' ? known.counter.window.start : undefined
    const counter = openCounter(known?.counter, series, now)
    const bucket = known ?? { counter, out: 0, before: 0, epoch: 0, span: 0, since: 0 }
    if (counter.kind === 'quota' && counter.window.start !== start) bucket.out = 0
    if (counter !== bucket.counter) Object.assign(bucket, { counter, out: 0, before: 0 })
    if (counter.kind === 'rate') cap(bucket, counter)
    buckets.set(key, bucket)
    return bucket
  }

  /** Grants end with the epoch after theirs; until then what flows in must leave them their place. */
  function endEpochs(bucket: Bucket, counter: Rate, now: number): void {
    while (bucket.out + bucket.before > 0 && now >= bucket.epoch + bucket.span) {
      bucket.epoch += bucket.span
      refillUses(counter, bucket.epoch)
      cap(bucket, counter)
      bucket.before = bucket.out
      bucket.out = 0
    }
  }

  function cap(bucket: Bucket, counter: Rate): void {
    for (const under of [counter, counter.former]) {
      if (!under) continue
      const { burst, periodMs } = under.limit
      under.parts = Math.min(under.parts, Math.max(0, burst - bucket.out - bucket.before) * periodMs)
    }
  }

  /** As `open`, and changes nothing. */
  function peek(series: Series, key: string, now: number): Counter {
    const known = buckets.get(key)
    if (!known) return openCounter(undefined, series, now)
    buckets.set(key, { ...known, counter: copyOf(known.counter) })
    const { counter } = open(series, key, now)
    buckets.set(key, known)
    return counter
  }

  function grant(charge: Charge, wish: Wish, now: number): Grant {
    const bucket = open(charge, charge.key, now)
    const { counter } = bucket
    const left = viewOf(counter, charge, charge.key, now).state.remaining
    let units = Math.min(wish.units, Math.floor(left / (2 * wish.instances)))
    if (counter.kind === 'rate') {
      units = Math.min(units, Math.floor(counter.limit.burst / 2) - bucket.out - bucket.before)
    }
    if (units < 2) return NO_GRANT
    if (counter.kind === 'rate' && bucket.out + bucket.before === 0)
      Object.assign(bucket, { epoch: now, span: wish.forMs })
    if (bucket.out === 0) {
      lives += 1
      bucket.since = lives
    }
    bucket.out += units
    if (counter.kind === 'rate') {
      counter.parts -= units * counter.limit.periodMs
      settleCost(counter, units)
      return { units, lastsMs: Math.min(wish.forMs, bucket.span), from: Math.max(now, bucket.epoch) }
    }
    counter.used += units
    return { units, lastsMs: Math.min(wish.forMs, counter.window.end - now), from: bucket.since }
  }

  function giveBackOne(charge: Charge, from: number, now: number): void {
    const bucket = open(charge, charge.key, now)
    const { counter } = bucket
    if (counter.kind === 'quota') {
      const units = bucket.since === from ? Math.min(charge.cost, bucket.out, counter.used) : 0
      bucket.out -= units
      counter.used -= units
      return
    }
    const epoch = from >= bucket.epoch ? 'out' : 'before'
    const units = from >= bucket.epoch - bucket.span ? Math.min(charge.cost, bucket[epoch]) : 0
    bucket[epoch] -= units
    counter.parts += units * counter.limit.periodMs
    adjustFormer(counter, -units)
    cap(bucket, counter)
  }

  const openAll = (charges: readonly Charge[], now: number) => charges.map((one) => open(one, one.key, now).counter)

  /** The work happens half way, if at all. */
  async function later<T>(operation: keyof typeof calls, work: () => T): Promise<T> {
    calls[operation] += 1
    const { mode, latencyMs } = fake
    const wait = () =>
      latencyMs > 0 ? new Promise((resolve) => setTimeout(resolve, latencyMs / 2)) : Promise.resolve()
    if (mode === 'hangs') return NEVER()
    await wait()
    if (mode === 'fails') throw new Error('the store fails')
    const answer = work()
    if (mode === 'deaf') return NEVER()
    await wait()
    return answer
  }

  function draw(charges: readonly Charge[], wishes: readonly Wish[], now: number, patienceMs: number): Drawn {
    const first = takeAll(openAll(charges, now), charges, patienceMs, now)
    const isRefused = first.some(({ admitted, limit }) => !admitted && limit.mode !== 'shadow')
    const grants = charges.map((charge, i) => {
      const wish = wishes[i]
      return wish && wish.units > 0 && !isRefused && first[i]?.admitted ? grant(charge, wish, now) : NO_GRANT
    })
    const states = first.map((state, i) => ({ ...state, remaining: state.remaining - (grants[i]?.units ?? 0) }))
    return { states, grants }
  }

  const fake: FakeRemote = {
    mode: 'answers',
    latencyMs: 0,
    calls,
    loseData: () => buckets.clear(),
    take: (charges, now, patienceMs = Number.POSITIVE_INFINITY) =>
      later('take', () => takeAll(openAll(charges, time(now)), charges, patienceMs, time(now))),
    look: (charges, now, patienceMs = Number.POSITIVE_INFINITY) =>
      later('look', () => {
        const copies = new Map<string, Counter>()
        const counters = charges.map((one) => {
          const copy = copies.get(one.key) ?? peek(one, one.key, time(now))
          copies.set(one.key, copy)
          return copy
        })
        return takeAll(counters, charges, patienceMs, time(now))
      }),
    adjust: (charges, now) => later('adjust', () => adjustAll(openAll(charges, time(now)), charges, time(now))),
    draw: (charges, wishes, now, patienceMs = Number.POSITIVE_INFINITY) =>
      later('draw', () => draw(charges, wishes, time(now), patienceMs)),
    giveBack: (unused, now) =>
      later('giveBack', () => {
        for (const { charge, from } of unused) giveBackOne(charge, from, time(now))
      }),
    buckets: (series, most, now) =>
      later('other', () =>
        [...buckets.keys()]
          .filter((key) => key.startsWith(series.series))
          .map((key) => viewOf(peek(series, key, time(now)), series, key, time(now)))
          .filter(({ used, refused }) => used > 0 || refused > 0)
          .sort((one, other) => other.used - one.used)
          .slice(0, most),
      ),
    bucket: (series, key, now) => later('other', () => viewOf(peek(series, key, time(now)), series, key, time(now))),
    reset: (series, key) =>
      later('other', () => {
        const keys = [...buckets.keys()].filter((one) =>
          key === undefined ? one.startsWith(series.series) : one === key,
        )
        for (const one of keys) buckets.delete(one)
        return keys.length
      }),
  }
  return fake
}
