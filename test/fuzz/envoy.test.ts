/** A sample of what `npm run fuzz -- --envoy 5000` does at length: a real Envoy on the reference configuration. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { asReference, createEnvoyAdapter } from './envoy-adapter.ts'
import { fuzz } from './fuzz.ts'
import { type RealEnvoy, startRealEnvoy } from './real-envoy.ts'
import { createWorld } from './world.ts'

const SEED = 20261122
const CASES = 300
/** A few seconds on a machine of its own; a loaded one is given its time. */
const timeout = 120_000

const world = createWorld()
let envoy: RealEnvoy
beforeAll(async () => {
  envoy = await startRealEnvoy(world)
})
afterAll(() => envoy?.stop())

it(`whatever a client sends through Envoy, the decision is the one in memory, and a backend hears of the caller from us alone (seed ${SEED})`, {
  timeout,
}, async () => {
  const gateways = [
    { ...envoy, strips: true, verifies: false },
    { ...createEnvoyAdapter(world, asReference), strips: false, verifies: false },
  ]
  const ends = (await fuzz({ world, gateways, cases: CASES, seed: SEED, isPlain: true })).get('real envoy')
  expect(ends?.get('allowed')).toBeGreaterThan(CASES / 8)
})
