/** `npm run simulate`: runs the simulation, prints its tables, and writes its pictures into `docs/pictures`. `-- redis` measures Redis instead. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../package-root.ts'
import { machineText, tableText } from '../table.ts'
import { byLease, byRate } from './by-rate.ts'
import { needOf, type Wanted } from './capacity.ts'
import { runGrid } from './grid.ts'
import { picturesOf } from './pictures.ts'
import { measureRedisCalls } from './redis-calls.ts'
import { byLeaseText, byRateText, capacityText, gridText } from './text.ts'

const SMALL = { perSecond: 10_000, tenants: 10_000, keys: 1_000_000, instances: 1 } as const
const LARGE = { perSecond: 1_000_000, tenants: 1_000_000, keys: 10_000_000, instances: 100 } as const
const COLUMNS: readonly { readonly name: string; readonly wanted: Wanted }[] = [
  { name: 'leases', wanted: SMALL },
  { name: 'each take asks', wanted: { ...SMALL, isAsking: true } },
  { name: 'leases', wanted: LARGE },
  { name: 'leases, a tenant at 2 processes', wanted: { ...LARGE, spread: 2 } },
  { name: 'each take asks', wanted: { ...LARGE, isAsking: true } },
]

const print = (text: string) => process.stdout.write(`${text}\n\n`)

const asked = process.argv.slice(2)
if (asked.length === 0) simulate()
else if (asked.length === 1 && asked[0] === 'redis')
  print(`${machineText()}\n\n${tableText(await measureRedisCalls())}`)
else {
  process.stderr.write('simulate takes no argument, or redis\n')
  process.exitCode = 2
}

function simulate(): void {
  const startedAt = performance.now()
  const rates = byRate()
  print(byRateText(rates))
  print(byLeaseText(byLease()))
  const grid = runGrid(({ instances, tenants }) => {
    process.stderr.write(`${instances} instances, ${tenants} tenants\n`)
  })
  print(gridText(grid))
  print(capacityText(COLUMNS.map((column) => ({ ...column, need: needOf(column.wanted) }))))
  const folder = join(packageRoot, 'docs', 'pictures')
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of picturesOf(grid, rates)) writeFileSync(join(folder, name), svg)
  print(`pictures are in ${folder}; it took ${Math.round((performance.now() - startedAt) / 1000)} s`)
}
