/** A share of tenants, and of users, at scale and in process: how many, always the same, and the same whoever asks. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOON } from '../conformance/credentials.ts'
import { gateAtNoon } from '../conformance/gate-at-noon.ts'
import { type Ask, throughEnvoysAdapter, throughKongsAdapter } from './adapters.ts'
import { BY_TENANT, BY_USER, type Crowd, canaries, createCrowd, likelyCount, TENANTS, USERS } from './crowd.ts'

/** Of each adapter, and of each kind. */
const DECISIONS = 100_000

let crowd: Crowd
beforeAll(async () => {
  crowd = await createCrowd(NOON * 1000)
})

const KINDS = [
  { kind: 'tenants', size: TENANTS, path: BY_TENANT, header: 'x-api-key', prefix: '' },
  { kind: 'users', size: USERS, path: BY_USER, header: 'authorization', prefix: 'Bearer ' },
] as const
type Kind = (typeof KINDS)[number]

const headersOf = ({ kind, header, prefix }: Kind) =>
  [...(kind === 'tenants' ? crowd.keys : crowd.tokens)].map(
    ([who, credential]) => [who, { [header]: `${prefix}${credential}` }] as const,
  )

/** What each of them got, of all that was asked; throws where somebody got two different ones. */
async function upstreams(ask: Ask, kind: Kind, decisions: number): Promise<Map<string, string | undefined>> {
  const all = headersOf(kind)
  const got = new Map<string, string | undefined>()
  for (let done = 0; done < decisions; done++) {
    const [who, headers] = all[done % all.length] ?? ['', {}]
    const upstream = await ask(kind.path, headers)
    if (got.has(who) && got.get(who) !== upstream) throw new Error(`${who} was moved`)
    got.set(who, upstream)
  }
  return got
}

describe.each(KINDS)('5 % of $size $kind', { timeout: 60_000 }, (kind) => {
  const { size } = kind
  let first: Map<string, string | undefined>
  beforeAll(async () => {
    const { gate } = gateAtNoon(crowd.policy(5))
    first = await upstreams(throughEnvoysAdapter(gate), kind, DECISIONS)
  })

  it(`are within the binomial 99 % interval, each the same in ${DECISIONS} decisions`, () => {
    expect(first.size).toBe(size)
    const [least, most] = likelyCount(size, 0.05)
    expect(canaries(first).length).toBeGreaterThanOrEqual(least)
    expect(canaries(first).length).toBeLessThanOrEqual(most)
  })

  it('are the same through Kong’s adapter, by a gate of its own', async () => {
    const { gate } = gateAtNoon(crowd.policy(5))
    expect(await upstreams(throughKongsAdapter(gate), kind, DECISIONS)).toEqual(first)
  })

  it('are among the 10 % that come after them: nobody goes back to stable', async () => {
    const { gate } = gateAtNoon(crowd.policy(10))
    const later = canaries(await upstreams(throughEnvoysAdapter(gate), kind, size))
    expect(new Set(later)).toEqual(new Set([...later, ...canaries(first)]))
    const [least, most] = likelyCount(size, 0.1)
    expect(later.length).toBeGreaterThanOrEqual(least)
    expect(later.length).toBeLessThanOrEqual(most)
  })
})

it.each([
  { percent: 100, count: TENANTS },
  { percent: 0, count: 0 },
])('$percent % of 1,000 tenants are $count', async ({ percent, count }) => {
  const { gate } = gateAtNoon(crowd.policy(percent))
  expect(canaries(await upstreams(throughEnvoysAdapter(gate), KINDS[0], TENANTS))).toHaveLength(count)
})

describe('another process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tg-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('gives each tenant and each user what this one gives', { timeout: 60_000 }, async () => {
    const { gate } = gateAtNoon(crowd.policy(5))
    const ask = throughEnvoysAdapter(gate)
    const asked = KINDS.flatMap((kind) => headersOf(kind).map(([, headers]) => [kind.path, headers] as const))
    const here: (string | undefined)[] = []
    for (const [path, headers] of asked) here.push(await ask(path, headers))
    writeFileSync(join(folder, 'asked.json'), JSON.stringify({ text: crowd.text, files: crowd.files(5), asked }))
    const script = fileURLToPath(new URL('./ask-alone.ts', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, join(folder, 'asked.json')], {
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual(here)
  })
})

describe('the interval', () => {
  it.each([
    // 10 coins: 0 and 10 heads are 1 in 1024 each, and so within the half percent; 0 or 1 are 11 in 1024
    [10, 0.5, [1, 9]],
    [1000, 0.05, [33, 69]],
    [5000, 0.05, [211, 291]],
  ] as const)('of %i at %f leaves out at most half a percent on each side', (trials, share, interval) => {
    expect(likelyCount(trials, share)).toEqual(interval)
  })
})
