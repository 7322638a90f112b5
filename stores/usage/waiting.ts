/** What was counted and is not known to be written: lines by hour and tenant, and the batches that were begun of them. */
import type { Batch } from './keeper.ts'
import type { Room, Sheet } from './sheet.ts'

export type HourOfTenant = readonly [from: number, tenant: string]

export interface Waiting {
  /** Where decisions of the hour that begins at `from` are counted. */
  sheetOf(from: number): Sheet
  /** Those with something to write, the oldest hours first. */
  all(): readonly HourOfTenant[]
  hasBegun(from: number, tenant: string): boolean
  /** In their order: those that were begun, or new ones of all lines that there are. They stay as they are until they are written. */
  batches(from: number, tenant: string): readonly Batch[]
  /** The first of its tenant and hour is written. */
  written(batch: Batch): void
  /** Lets go of hours that began earlier. Answers how many decisions are lost by that. */
  forgetBefore(oldest: number): number
}

/** `perBatch` is in lines; all lines that wait take room. */
export function createWaiting(room: Room, perBatch: number): Waiting {
  const sheets = new Map<number, Sheet>()
  const begun = new Map<number, Map<string, Batch[]>>()
  let sequence = 0

  function begin(from: number, tenant: string): readonly Batch[] {
    const lines = sheets.get(from)?.get(tenant)?.all ?? []
    sheets.get(from)?.delete(tenant)
    const batches = chunks(lines, perBatch).map((part) => ({ tenant, from, sequence: ++sequence, lines: part }))
    if (batches.length > 0) entry(begun, from, () => new Map()).set(tenant, batches)
    return batches
  }

  return {
    sheetOf: (from) => entry(sheets, from, () => new Map()),
    all() {
      const hours = [...new Set([...begun.keys(), ...sheets.keys()])].sort((a, b) => a - b)
      return hours.flatMap((from) => {
        const tenants = new Set([...(begun.get(from)?.keys() ?? []), ...(sheets.get(from)?.keys() ?? [])])
        return Array.from(tenants, (tenant) => [from, tenant] as const)
      })
    },
    hasBegun: (from, tenant) => begun.get(from)?.has(tenant) === true,
    batches: (from, tenant) => [...(begun.get(from)?.get(tenant) ?? begin(from, tenant))],
    written({ from, tenant, lines }) {
      const tenants = begun.get(from)
      const batches = tenants?.get(tenant)
      batches?.shift()
      if (batches?.length === 0) tenants?.delete(tenant)
      if (tenants?.size === 0) begun.delete(from)
      room.used -= lines.length
    },
    forgetBefore(oldest) {
      const old = <T>(all: ReadonlyMap<number, T>) => [...all.keys()].filter((from) => from < oldest)
      const counted = old(sheets).flatMap((from) => [...(sheets.get(from)?.values() ?? [])].map(({ all }) => all))
      const sent = old(begun).flatMap((from) => [...(begun.get(from)?.values() ?? [])].flat().map(({ lines }) => lines))
      for (const from of old(sheets)) sheets.delete(from)
      for (const from of old(begun)) begun.delete(from)
      const lines = [...counted, ...sent].flat()
      room.used -= lines.length
      return sum(lines)
    },
  }
}

/** Decisions that the lines count. */
export function sum(lines: readonly { readonly count: number }[]): number {
  return lines.reduce((total, { count }) => total + count, 0)
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
