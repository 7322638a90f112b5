/** CPU per ShouldRateLimit's count, without its transport: descriptors matched, counted and answered. */
import { countHits, type HitsGiven } from '../core/descriptors/count-hits.ts'
import { parseDescriptors } from '../policy/ratelimit/parse.ts'
import { createMemoryHits } from '../stores/memory-hits.ts'
import { measureSteps, noiseText, reference } from './measure.ts'
import type { Table } from './table.ts'

const LIMIT = 'rate_limit: { unit: hour, requests_per_unit: 4294967295 }'

const TEXT = `
domain: shop
descriptors:
  - key: plan
    value: free
    ${LIMIT}
  - key: user
    descriptors: [{ key: route, ${LIMIT} }]
${Array.from({ length: 20 }, (_, index) => `  - { key: path, value: /v${index}/*/items, share_threshold: true, ${LIMIT} }`).join('\n')}
`

const PLAN = { entries: [{ key: 'plan', value: 'free' }] }
const USER = {
  entries: [
    { key: 'user', value: 'ada@acme.example' },
    { key: 'route', value: 'orders-write' },
  ],
}
const PATH = { entries: [{ key: 'path', value: '/v19/8f14e45f/items' }] }
const LONG = {
  entries: [
    { key: 'user', value: 'x'.repeat(200) },
    { key: 'route', value: 'orders-write' },
  ],
}

export async function benchHits(): Promise<Table> {
  const { config } = parseDescriptors([{ name: 'bench.yaml', text: TEXT }], false)
  const settings = { headers: false, shadow: false, quota: false, sparing: false, metadata: false } as const
  const given: HitsGiven = { config, hits: createMemoryHits(), settings, now: Date.now() }
  const told: HitsGiven = {
    ...given,
    settings: {
      ...settings,
      headers: { limit: 'x-limit', remaining: 'x-remaining', reset: 'x-reset' },
      metadata: true,
    },
  }
  const request = (...descriptors: readonly (typeof PLAN)[]) => ({ domain: 'shop', hitsAddend: 0, descriptors })
  const [one, three, path, long] = [request(PLAN), request(PLAN, USER, PATH), request(PATH), request(LONG)]
  const figures = await measureSteps([
    reference(),
    { name: '1 descriptor', call: () => countHits(one, given) },
    { name: '3 descriptors', call: () => countHits(three, given) },
    { name: '3 descriptors, headers and metadata', call: () => countHits(three, told) },
    { name: '1 descriptor, the last of 20 patterns', call: () => countHits(path, given) },
    { name: '1 descriptor, a value of 200 characters', call: () => countHits(long, given) },
  ])
  return { title: 'hits: CPU per call', reference: 'JSON.parse of 1 kB', figures, notes: [noiseText(figures[0])] }
}
