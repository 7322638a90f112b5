/** One instance over a directory in Redis, in a process of its own: what it holds, how often that was enough, what a decision costs. */
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Decision } from '../core/decision.ts'
import type { RedisPlace } from '../core/policy.ts'
import { startInstance } from '../test/support/redis-instance.ts'
import { connected } from '../test/support/test-redis.ts'

export interface InstanceOrder {
  readonly place: RedisPlace
  readonly keys: number
}

/** Of one stretch of requests. */
export interface Stretch {
  readonly perSecond: number
  /** CPU µs of this process per decision. */
  readonly cpuMicros: number
  /** Of look-ups of keys, in per cent. */
  readonly hitRate: number
  readonly questionsPerDecision: number
  /** Requests that were not let in: there should be none. */
  readonly refused: number
}

export interface InstanceFigures {
  /** Heap in MB before and with all caches full. */
  readonly emptyMb: number
  readonly fullMb: number
  readonly rssMb: number
  readonly held: Readonly<Record<'tenants' | 'keys' | 'unknown', number>>
  readonly zipf: readonly Stretch[]
  readonly warm: readonly Stretch[]
  /** Questions that Redis has not answered in time. */
  readonly late: number
}

export const keyAt = (index: number): string => `bench-key-${index}`

const IN_FLIGHT = 64
const DECISIONS = 200_000
const ROUNDS = 3
/** Keys of the busiest credentials, all of which fit into the cache. */
const HOT = 2000

process.on('message', (order: InstanceOrder) => {
  void measure(order).then((figures) => {
    process.send?.(figures)
    process.disconnect()
  })
})

async function measure({ place, keys }: InstanceOrder): Promise<InstanceFigures> {
  const measured = await openMeasured(place)
  const rounds = async (draw: () => number) => {
    const all: Stretch[] = []
    for (let round = 0; round < ROUNDS; round++) all.push(await stretch(measured, draw))
    return all
  }
  const random = randomFrom(7)
  // Zipf with exponent 1: the rank below which a share u of all requests falls is n^u
  const zipf = () => Math.floor(keys ** random()) % keys
  const emptyMb = heapMb()
  await stretch(measured, zipf)
  for (let index = 0; index < 12_000; index++) await measured.ask(keys + index)
  const fullMb = heapMb()
  const { tenants, keys: ofKeys } = measured.counts()
  const held = { tenants: tenants.known, keys: ofKeys.known, unknown: ofKeys.unknown }
  const rssMb = process.memoryUsage().rss / 1024 ** 2
  const figures = { emptyMb, fullMb, rssMb, held, zipf: await rounds(zipf) }
  const hot = () => Math.floor(random() * HOT)
  await stretch(measured, hot)
  const warm = await rounds(hot)
  return { ...figures, warm, late: await measured.close() }
}

type Measured = Awaited<ReturnType<typeof openMeasured>>

async function openMeasured(place: RedisPlace) {
  const connection = await connected(place)
  let questions = 0
  const onAnswer = () => {
    questions += 1
  }
  const instance = await startInstance(connection, { onAnswer })
  return {
    questions: () => questions,
    counts() {
      const all = instance.followed.counts()
      if (!all) throw new Error('unreachable: it has a policy')
      return all
    },
    ask: (index: number) => instance.ask({ headers: { 'x-api-key': keyAt(index) } }),
    /** Answers how many questions were late. */
    async close(): Promise<number> {
      const { late } = instance.following.guard.counts
      instance.close()
      await connection.close()
      return late
    },
  }
}

/** `DECISIONS` requests, each with the key that `draw` says. */
async function stretch({ ask, counts, questions }: Measured, draw: () => number): Promise<Stretch> {
  const before = { ...counts().keys, questions: questions(), cpu: process.cpuUsage(), at: performance.now() }
  let left = DECISIONS
  let refused = 0
  const note = ({ decision }: Decision) => {
    if (decision === 'deny') refused += 1
  }
  const worker = async () => {
    while (left > 0) {
      left -= 1
      const decision = ask(draw())
      note(decision instanceof Promise ? await decision : decision)
      // calls come over a socket, which has its turn in between
      if (left % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const { user, system } = process.cpuUsage(before.cpu)
  const hits = counts().keys.hits - before.hits
  return {
    perSecond: DECISIONS / ((performance.now() - before.at) / 1000),
    cpuMicros: (user + system) / DECISIONS,
    hitRate: (100 * hits) / DECISIONS,
    questionsPerDecision: (questions() - before.questions) / DECISIONS,
    refused,
  }
}

function heapMb(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed / 1024 ** 2
}

/** Mulberry32: the same sequence in each run. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
