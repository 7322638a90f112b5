/** What the simulation has found, as pictures. */

import type { ByRate } from './by-rate.ts'
import { type Axis, type Chart, chartSvg } from './chart.ts'
import type { GridRow } from './grid.ts'

const percent = (value: number) => `${Math.round(value * 100)} %`
const count = (value: number) =>
  value >= 1e6 ? `${value / 1e6} M` : value >= 1000 ? `${value / 1000},000` : String(value)
const instances: Axis = {
  label: 'instances, 1,000 requests/s each',
  ticks: [1, 10, 100, 1000],
  isLog: true,
  text: count,
}

/** File names and SVG. */
export function picturesOf(grid: readonly GridRow[], byRate: readonly ByRate[]): ReadonlyMap<string, string> {
  const charts = { questions: questions(byRate), load: load(grid), over: over(grid), unused: unused(grid) }
  return new Map(Object.entries(charts).map(([name, chart]) => [`simulation-${name}.svg`, chartSvg(chart)]))
}

function questions(byRate: readonly ByRate[]): Chart {
  const line = (name: string, of: (row: ByRate) => number, isDashed = false) => ({
    name,
    points: byRate.map((row) => [row.perSecond, Math.max(0.001, of(row))] as const),
    isDashed,
  })
  return {
    title: 'Redis commands per decision of one tenant',
    about:
      'With leases a tenant that is asked for rarely costs one command each time; from some ten requests a second on ever fewer.',
    x: {
      label: 'requests/s of one tenant at one instance',
      ticks: [1, 10, 100, 1000, 10_000],
      isLog: true,
      text: count,
    },
    y: { label: 'commands per decision', ticks: [0.001, 0.01, 0.1, 1, 10], isLog: true, text: String },
    lines: [
      line('leases', (row) => row.leases),
      line('one script call each', () => 1, true),
      line('count locally, flush later', (row) => row.flushing),
    ],
  }
}

const ofSize = (grid: readonly GridRow[], tenants: number) => grid.filter((row) => row.tenants === tenants)
const sizesOf = (grid: readonly GridRow[]) => [...new Set(grid.map(({ tenants }) => tenants))]

function load(grid: readonly GridRow[]): Chart {
  const line = (way: 'leases' | 'asking' | 'flushing', tenants: number, name: string) => ({
    name,
    points: ofSize(grid, tenants).map((row) => [row.instances, row[way].commandsPerSecond] as const),
    isDashed: way === 'asking',
  })
  const [few, many] = [100, 1_000_000]
  return {
    title: 'Redis commands per second',
    about:
      'All three grow with the number of requests. What is saved depends on how much each tenant asks of one instance.',
    x: instances,
    y: { label: 'commands/s', ticks: [10, 100, 1000, 10_000, 100_000, 1e6], isLog: true, text: count },
    lines: [
      line('leases', few, 'leases, 100 tenants'),
      line('asking', few, 'one script call each'),
      line('flushing', few, 'flush later, 100 tenants'),
      line('leases', many, 'leases, 1 M tenants'),
      line('flushing', many, 'flush later, 1 M tenants'),
    ],
  }
}

function over(grid: readonly GridRow[]): Chart {
  return {
    title: 'Admitted beyond the limits',
    about: 'Leases and one script call each admit nothing beyond a limit. Who flushes later admits a multiple of it.',
    x: instances,
    y: { label: 'of what the limits admit', ticks: [0, 0.25, 0.5, 0.75, 1, 1.25], isLog: false, text: percent },
    lines: [
      { name: 'leases, most of all sizes', points: most(grid, (row) => row.leases.over) },
      { name: 'one script call each', points: most(grid, (row) => row.asking.over), isDashed: true },
      ...sizesOf(grid).map((tenants) => ({
        name: `flush later, ${count(tenants)} tenants`,
        points: ofSize(grid, tenants).map((row) => [row.instances, row.flushing.over] as const),
      })),
    ],
  }
}

function unused(grid: readonly GridRow[]): Chart {
  return {
    title: 'Not used, of limits that are asked for more than they admit',
    about: 'Units in hand of an instance that does not need them, and refusals that were remembered.',
    x: instances,
    y: { label: 'of what the limits admit', ticks: [0, 0.02, 0.04, 0.06, 0.08, 0.1], isLog: false, text: percent },
    lines: [
      { name: 'leases, most of all sizes', points: most(grid, (row) => row.leases.unused) },
      { name: 'one script call each', points: most(grid, (row) => row.asking.unused), isDashed: true },
      { name: 'flush later, most of all sizes', points: most(grid, (row) => row.flushing.unused) },
    ],
  }
}

/** Of each number of instances the greatest over all numbers of tenants. */
function most(grid: readonly GridRow[], of: (row: GridRow) => number): (readonly [number, number])[] {
  const byInstances = new Map<number, number>()
  for (const row of grid) byInstances.set(row.instances, Math.max(byInstances.get(row.instances) ?? 0, of(row)))
  return [...byInstances]
}
