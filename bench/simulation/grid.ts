/** Fleets and tenants of all sizes, in the three ways. */
import { type Result, resultsOf, type WayName } from './cell.ts'

export interface GridRow extends Record<WayName, Result> {
  readonly instances: number
  readonly tenants: number
}

const INSTANCES = [1, 10, 100, 1000] as const
const TENANTS = [100, 10_000, 1_000_000] as const
const PER_INSTANCE = 1000

export function runGrid(onRow: (row: GridRow) => void): GridRow[] {
  const rows: GridRow[] = []
  for (const tenants of TENANTS) {
    for (const instances of INSTANCES) {
      const cell = { instances, tenants, perInstance: PER_INSTANCE }
      const row = { instances, tenants, ...resultsOf(cell, ['leases', 'asking', 'flushing']) }
      rows.push(row)
      onRow(row)
    }
  }
  return rows
}
