/**
 * `npm run fuzz [-- --cases 100000] [--seed N] [--envoy 5000]`: the fuzzer at length, at both adapters in memory and, where it
 * is asked for, through a real Envoy. Exits with 1 and the smallest case that breaks a law.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { startLuaHost } from '../kong/harness/lua-host.ts'
import { asReference, createEnvoyAdapter } from './envoy-adapter.ts'
import { type Counts, type Fuzzed, fuzz } from './fuzz.ts'
import { createKongAdapter } from './kong-adapter.ts'
import { startRealEnvoy } from './real-envoy.ts'
import { createWorld, type World } from './world.ts'

const EVERY_MS = 10_000

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '0' },
    envoy: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
})
const cases = Number(values.cases)
const throughEnvoy = Number(values.envoy)
const seed = Number(values.seed)
const say = (line: string) => process.stdout.write(`${line}\n`)

const world = createWorld()
if (cases > 0 || throughEnvoy === 0) await inMemory(world, cases || 100_000)
if (throughEnvoy > 0) await real(world, throughEnvoy)

async function inMemory(world: World, cases: number): Promise<void> {
  const lua = await startLuaHost()
  try {
    await campaign(
      'both adapters',
      world,
      [
        { ...createEnvoyAdapter(world), strips: false },
        { ...createKongAdapter(world, lua), strips: true },
      ],
      cases,
    )
  } finally {
    await lua.stop()
  }
}

async function real(world: World, cases: number): Promise<void> {
  const envoy = await startRealEnvoy(world)
  try {
    await campaign(
      'a real Envoy, and its adapter in memory',
      world,
      [
        { ...envoy, strips: true },
        { ...createEnvoyAdapter(world, asReference), strips: false },
      ],
      cases,
    )
  } finally {
    await envoy.stop()
  }
}

async function campaign(where: string, world: World, gateways: readonly Fuzzed[], cases: number): Promise<void> {
  say(`${where}: ${cases} cases, seed ${seed}`)
  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(0)
  let done = 0
  const timer = setInterval(() => say(`  ${done} cases after ${seconds()} s`), EVERY_MS)
  try {
    const counts = await fuzz({ world, gateways, cases, seed, onCase: () => done++ })
    say(`  no law was broken in ${done} cases, ${seconds()} s\n${tableOf(counts)}`)
  } finally {
    clearInterval(timer)
  }
}

function tableOf(counts: Counts): string {
  const names = [...counts.keys()]
  const ends = [...new Set(names.flatMap((name) => [...(counts.get(name)?.keys() ?? [])]))].sort()
  const rows = ends.map((end) => [end, ...names.map((name) => String(counts.get(name)?.get(end) ?? 0))])
  return [['', ...names], ...rows]
    .map((row) => `  ${row.map((cell, at) => (at === 0 ? cell.padEnd(36) : cell.padStart(12))).join('')}`)
    .join('\n')
}
