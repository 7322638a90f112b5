/** Imports point inwards only and in no circle, and the core knows neither clock nor environment nor file. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../package-root.ts'

/** What each room may import: other rooms, and packages where the list is closed; `*` is any package. */
const ROOMS: Record<string, { rooms: string[]; packages: string[] | '*' }> = {
  core: { rooms: [], packages: ['jose', '@openfeature/core', '@openfeature/flagd-core', 'node:crypto', 'node:zlib'] },
  policy: { rooms: ['core'], packages: '*' },
  stores: { rooms: ['core'], packages: '*' },
  telemetry: { rooms: ['core'], packages: '*' },
  admin: { rooms: ['core'], packages: '*' },
  'ext-authz': { rooms: ['core'], packages: '*' },
  kong: { rooms: ['core'], packages: '*' },
  plugins: { rooms: ['core', 'kong', 'cli'], packages: '*' },
  cli: { rooms: ['core', 'policy', 'stores', 'telemetry', 'admin', 'ext-authz', 'kong', 'plugins'], packages: '*' },
  demo: { rooms: ['core', 'cli'], packages: '*' },
  bench: { rooms: ['core', 'policy', 'stores', 'ext-authz', 'kong', 'cli', 'demo', 'test'], packages: '*' },
}

/** What a room that gets time, randomness and settings as arguments must not reach for itself. */
const AMBIENT = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bMath\.random\b|\bprocess\.env\b/
const WITHOUT_AMBIENT = ['core', 'policy', 'stores', 'telemetry', 'admin', 'ext-authz', 'kong']

function sourcesOf(room: string): string[] {
  return readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(room, file))
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(packageRoot, file), 'utf8')
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** The rule that an import breaks, in words, or undefined. */
function broken(file: string, imported: string): string | undefined {
  const [room = ''] = file.split('/')
  const { rooms, packages } = ROOMS[room] ?? { rooms: [], packages: [] }
  if (!imported.startsWith('.')) {
    return packages === '*' || packages.includes(imported) ? undefined : `${file} imports the package ${imported}`
  }
  const target = normalize(join(dirname(file), imported))
  const [other = ''] = target.split('/')
  const allowed = other === room || rooms.includes(other) || (target === 'package-root.ts' && room !== 'core')
  return allowed ? undefined : `${file} imports ${target}`
}

type Graph = ReadonlyMap<string, readonly string[]>

function graphOf(files: readonly string[]): Graph {
  const own = (file: string) => importsOf(file).filter((imported) => imported.startsWith('.'))
  return new Map(files.map((file) => [file, own(file).map((imported) => normalize(join(dirname(file), imported)))]))
}

/** Files of which each imports the next, and the last the first, be it for types alone; undefined where there are none. */
function circleIn(graph: Graph): readonly string[] | undefined {
  const cleared = new Set<string>()
  function circleFrom(file: string, path: readonly string[]): readonly string[] | undefined {
    if (cleared.has(file)) return undefined
    if (path.includes(file)) return path.slice(path.indexOf(file))
    for (const next of graph.get(file) ?? []) {
      const found = circleFrom(next, [...path, file])
      if (found) return found
    }
    cleared.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const found = circleFrom(file, [])
    if (found) return found
  }
  return undefined
}

describe('imports point inwards only', () => {
  it.each(Object.keys(ROOMS))('%s', (room) => {
    const files = sourcesOf(room)
    expect(files.length).toBeGreaterThan(0)
    const faults = files.flatMap((file) => importsOf(file).map((imported) => broken(file, imported)))
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })

  it('an import the wrong way is found', () => {
    expect(broken('core/decide.ts', '../ext-authz/check.ts')).toBe('core/decide.ts imports ext-authz/check.ts')
    expect(broken('core/decide.ts', 'node:fs')).toBe('core/decide.ts imports the package node:fs')
    expect(broken('ext-authz/check.ts', '../stores/memory-limits.ts')).toBeDefined()
    expect(broken('core/limits/charge.ts', '../maybe-promise.ts')).toBeUndefined()
  })
})

describe('imports go in no circle', () => {
  it('in all rooms together', () => {
    expect(circleIn(graphOf(Object.keys(ROOMS).flatMap(sourcesOf)))).toBeUndefined()
  })

  it('one is found, whatever leads to it', () => {
    const towards = (last: readonly string[]) =>
      new Map([
        ['far', ['one', 'three']],
        ['one', ['two', 'three']],
        ['two', ['three']],
        ['three', last],
      ])
    expect(circleIn(towards([]))).toBeUndefined()
    expect(circleIn(towards(['one']))).toEqual(['one', 'two', 'three'])
  })
})

describe('time, randomness and settings come in as arguments', () => {
  it.each(WITHOUT_AMBIENT)('%s', (room) => {
    const faults = sourcesOf(room).filter((file) => AMBIENT.test(readFileSync(join(packageRoot, file), 'utf8')))
    expect(faults).toEqual([])
  })
})
