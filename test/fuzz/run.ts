/**
 * `npm run fuzz [-- --cases 100000] [--seed N] [--envoy 5000]`: the fuzzer at length, at both adapters in memory and, where it
 * is asked for, through a real Envoy. Exits with 1 and the smallest case that breaks a law.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { type LuaHost, startLuaHost } from '../kong/harness/lua-host.ts'
import { asReference, createEnvoyAdapter } from './envoy-adapter.ts'
import { type Counts, type Fuzzed, fuzz } from './fuzz.ts'
import { createKongAdapter } from './kong-adapter.ts'
import { startRealEnvoy } from './real-envoy.ts'
import { createWorld, type World } from './world.ts'

const EVERY_MS = 30_000
/** Each waits most of the time. */
const LANES = 24
const LUAS = 2

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
  const hosts = await Promise.all(Array.from({ length: LUAS }, startLuaHost))
  const adapters = (lua: LuaHost) => [
    { ...createEnvoyAdapter(world), strips: false, verifies: true },
    { ...createKongAdapter(world, lua), strips: true, verifies: false },
  ]
  const lanes = Array.from({ length: LANES / LUAS }, () => hosts.map(adapters)).flat()
  try {
    await campaign('both adapters', world, lanes, cases)
  } finally {
    await Promise.all(hosts.map((lua) => lua.stop()))
  }
}

async function real(world: World, cases: number): Promise<void> {
  const envoy = await startRealEnvoy(world)
  try {
    const lane = [
      { ...envoy, strips: true, verifies: false },
      { ...createEnvoyAdapter(world, asReference), strips: false, verifies: false },
    ]
    await campaign('a real Envoy, and its adapter in memory', world, [lane], cases, true)
  } finally {
    await envoy.stop()
  }
}

/** Each lane has a part of the cases, and a seed of its own: the next one. */
async function campaign(
  where: string,
  world: World,
  lanes: readonly (readonly Fuzzed[])[],
  all: number,
  isPlain = false,
): Promise<void> {
  say(`${where}: ${all} cases, seed ${seed}`)
  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(0)
  let done = 0
  const onCase = () => done++
  const timer = setInterval(() => say(`  ${done} cases after ${seconds()} s`), EVERY_MS)
  try {
    const cases = Math.ceil(all / lanes.length)
    const counts = await Promise.all(
      lanes.map((gateways, lane) => fuzz({ world, gateways, cases, seed: seed + lane, isPlain, onCase })),
    )
    say(`  no law was broken in ${done} cases, ${seconds()} s\n${tableOf(added(counts))}`)
  } finally {
    clearInterval(timer)
  }
}

function added(all: readonly Counts[]): Counts {
  const sums = new Map<string, Map<string, number>>()
  for (const [gateway, ends] of all.flatMap((counts) => [...counts])) {
    const own = sums.get(gateway) ?? new Map<string, number>()
    sums.set(gateway, own)
    for (const [end, times] of ends) own.set(end, (own.get(end) ?? 0) + times)
  }
  return sums
}

function tableOf(counts: Counts): string {
  const names = [...counts.keys()]
  const ends = [...new Set(names.flatMap((name) => [...(counts.get(name)?.keys() ?? [])]))].sort()
  const rows = ends.map((end) => [end, ...names.map((name) => String(counts.get(name)?.get(end) ?? 0))])
  return [['', ...names], ...rows]
    .map((row) => `  ${row.map((cell, at) => (at === 0 ? cell.padEnd(36) : cell.padStart(12))).join('')}`)
    .join('\n')
}
