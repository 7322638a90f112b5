/** A sample of what `npm run fuzz` does at length: both adapters, in memory, under hostile requests. */
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DENIALS } from '../../core/decision.ts'
import { type LuaHost, startLuaHost } from '../kong/harness/lua-host.ts'
import { createEnvoyAdapter } from './envoy-adapter.ts'
import { type Counts, type Fuzzed, fuzz } from './fuzz.ts'
import { createKongAdapter } from './kong-adapter.ts'
import { createWorld } from './world.ts'

const FIXED_SEED = 20261122
const CASES = 1200

const world = createWorld()
let lua: LuaHost
beforeAll(async () => {
  lua = await startLuaHost()
})
afterAll(() => lua?.stop())

/** For one test alone: another one that is out of time still goes on, and must not decide for this one's gateways. */
const createGateways = (): readonly Fuzzed[] => [
  { ...createEnvoyAdapter(world), strips: false, verifies: true },
  { ...createKongAdapter(world, lua), strips: true, verifies: false },
]

/** Half a minute on a machine of its own; a loaded one is given its time. */
const timeout = 240_000

/** What no request can bring about here, where nothing is away and nothing was revoked, and what is too rare for a sample. */
const NOT_HERE = ['dependency_unavailable', 'revoked_credential', 'quota_exceeded']

describe('whatever a client sends, both adapters refuse or allow alike, and a backend hears of the caller from us alone', () => {
  it(`with the seed ${FIXED_SEED}, which comes to every end that a sample can`, { timeout }, async () => {
    const gateways = createGateways()
    const counts = await fuzz({ world, gateways, cases: CASES, seed: FIXED_SEED })
    for (const { name } of gateways) {
      const reasons = Object.keys(DENIALS).filter((reason) => !NOT_HERE.includes(reason))
      expect([...(counts.get(name)?.keys() ?? [])]).toEqual(expect.arrayContaining(['allowed', ...reasons]))
      expect(share(counts, name, 'allowed')).toBeGreaterThan(0.15)
    }
  })

  it('with a seed of the day, which is told when it fails', { timeout }, async () => {
    await fuzz({ world, gateways: createGateways(), cases: CASES / 3, seed: randomInt(2 ** 31) })
  })
})

function share(counts: Counts, gateway: string, end: string): number {
  const own = counts.get(gateway) ?? new Map<string, number>()
  return (own.get(end) ?? 0) / [...own.values()].reduce((sum, times) => sum + times, 0)
}
