/** CPU per take, and what a bucket costs in memory when there are a million of them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bucketKey, bucketSeries, type Counted } from '../core/limits/bucket-key.ts'
import { type Charge, type CountedBy, type Limit, type LimitStore, UTC_CALENDAR } from '../core/limits/limit.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { figure, measureSteps, noiseText, reference, type Step } from './measure.ts'
import type { Table } from './table.ts'

const BUCKETS = 1_000_000
const TENANTS = 20

export async function benchLimits(): Promise<Table> {
  const figures = await measureSteps([reference(), ...takes()])
  const bytes = [await bytesPerBucket('rate'), await bytesPerBucket('quota')]
  return {
    title: 'limits: CPU per take, and memory per bucket',
    reference: 'JSON.parse of 1 kB',
    figures: [...figures, ...bytes],
    notes: [
      noiseText(figures[0]),
      `bytes are the heap of ${BUCKETS.toLocaleString('en')} buckets, by address at ${TENANTS} tenants`,
    ],
  }
}

const shared = { expose: true } as const

function rateOf(name: string, by: CountedBy): Limit {
  return {
    ...shared,
    kind: 'rate',
    name,
    by: [by],
    tokens: 1_000_000,
    periodMs: 1000,
    burst: 1_000_000,
    weighted: false,
  }
}

function quotaOf(name: string, by: CountedBy): Limit {
  return { ...shared, kind: 'quota', name, by: [by], amount: 1_000_000_000, period: { count: 1, unit: 'day' } }
}

/** Of each take the first ones: a tenant's rate, its quota, a rate by user, and so on. */
const LIMITS = [
  rateOf('burst', 'tenant'),
  quotaOf('daily', 'tenant'),
  rateOf('per-user', 'user'),
  quotaOf('monthly', 'tenant'),
  rateOf('per-address', 'ip'),
  quotaOf('per-route', 'route'),
  rateOf('second', 'tenant'),
  quotaOf('users-daily', 'user'),
]

/** Time goes on by a millisecond with each take, so that none of them is refused. */
function takes(): Step[] {
  const store = createMemoryLimits()
  const full = createMemoryLimits()
  const start = Date.now()
  let now = start
  const later = () => {
    now += 1
    return now
  }
  const all = LIMITS.map((limit) => chargeOf(limit, 'acme', '192.0.2.1'))
  const [one, three] = [all.slice(0, 1), all.slice(0, 3)]
  const delaying = three.map((charge) => withDelay(charge))
  const held = createMemoryLimits()
  const refusing = three.map((charge, i) =>
    i === 1 ? { ...charge, limit: { ...quotaOf('daily', 'tenant'), amount: 0 } } : charge,
  )
  return [
    { name: 'take of 1 limit', call: () => store.take(one, later()) },
    { name: 'take of 3 limits', call: () => store.take(three, later()), budget: 0.5 },
    { name: 'take of 8 limits', call: () => store.take(all, later()) },
    { name: 'take of 3 limits, two of which may delay', call: () => held.take(delaying, later(), 1000) },
    { name: 'look at 3 limits', call: () => store.look(three, now) },
    { name: 'take of 3 limits, one of which refuses', call: () => full.take(refusing, start) },
    { name: 'take of a new address, among many', call: newAddresses(createMemoryLimits(), start) },
  ]
}

function withDelay(charge: Charge): Charge {
  return charge.limit.kind === 'rate' ? { ...charge, limit: { ...charge.limit, delayMs: 100 } } : charge
}

/** A different address with every call, as a flood brings them: there is no room, and another has to go. */
function newAddresses(store: LimitStore, now: number): () => unknown {
  const limit = quotaOf('per-address', 'ip')
  let seen = 0
  return () => {
    seen += 1
    return store.take([chargeOf(limit, 'acme', `10.${seen >>> 16}.${(seen >>> 8) & 255}.${seen & 255}`)], now)
  }
}

function chargeOf(limit: Limit, tenant: string, ip: string): Charge {
  const series = bucketSeries(limit, 'tenant', tenant)
  const none = () => ''
  const counted: Counted = { tenant, credential: 'ci', user: 'user:ada', ip, route: 'read', header: none, claim: none }
  return { limit, series, key: bucketKey(limit, series, counted), tenant, cost: 1, calendar: UTC_CALENDAR }
}

/** Measured in a process of its own, whose heap nothing else has used. */
async function bytesPerBucket(kind: Limit['kind']) {
  const child = fork(fileURLToPath(import.meta.url), [kind])
  const [bytes] = await once(child, 'message')
  return figure({ name: `memory per bucket of a ${kind}`, unit: 'B', samples: [Number(bytes)] })
}

function fill(limit: Limit): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const now = Date.now()
  const store = createMemoryLimits()
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < BUCKETS; i++) {
    void store.take([chargeOf(limit, `tenant-${i % TENANTS}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)], now)
  }
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / BUCKETS
  // the store is alive until here
  void store.look([chargeOf(limit, 'tenant-0', '10.0.0.0')], now)
  return bytes
}

const asked = process.argv[2]
if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.send(fill((asked === 'rate' ? rateOf : quotaOf)('per-address', 'ip')))
}
