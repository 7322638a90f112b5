/** Usage in this process's memory: the last hours and days, as many lines as there is room for. It ends with the process. */
import { periodStart, type UsageLine, type UsagePeriod } from '../../core/usage.ts'
import type { UsageKeeper } from './keeper.ts'
import { lineOf, type Room, type Sheet } from './sheet.ts'

export interface KeeperBounds {
  /** Lines of a tenant in one hour or day, see `lineOf`. */
  readonly perTenant: number
  /** Lines of all; beyond, the oldest hours go first, then the oldest days. */
  readonly total: number
  readonly hours: number
  readonly days: number
}

const BOUNDS: KeeperBounds = { perTenant: 1000, total: 400_000, hours: 48, days: 35 }

/** A keeper that writes and reads in the same tick. */
export function createMemoryKeeper(bounds: Partial<KeeperBounds> = {}): UsageKeeper {
  const { hours, days, perTenant, total } = { ...BOUNDS, ...bounds }
  const room: Room = { perTenant, total, used: 0, folded: 0 }
  /** By their beginning. */
  const sheets: Readonly<Record<UsagePeriod, Map<number, Sheet>>> = { hour: new Map(), day: new Map() }
  const most = { hour: hours, day: days }

  function sheetOf(per: UsagePeriod, from: number): Sheet | undefined {
    const kept = sheets[per]
    let sheet = kept.get(from)
    if (sheet) return sheet
    if (kept.size >= most[per]) {
      if (from < oldest(kept)) return undefined
      drop(per)
    }
    sheet = new Map()
    kept.set(from, sheet)
    return sheet
  }

  function drop(per: UsagePeriod): void {
    const from = oldest(sheets[per])
    for (const { all } of sheets[per].get(from)?.values() ?? []) room.used -= all.length
    sheets[per].delete(from)
  }

  function makeRoom(): void {
    for (const per of ['hour', 'day'] as const) while (room.used >= total && sheets[per].size > 1) drop(per)
  }

  return {
    async write({ tenant, from, lines }) {
      makeRoom()
      for (const per of ['hour', 'day'] as const) {
        const sheet = sheetOf(per, periodStart(per, from))
        if (sheet) for (const line of lines) lineOf(sheet, { tenant, ...line }, room).count += line.count
      }
    },
    async read({ tenant, per, from, until }) {
      const within = [...sheets[per].keys()].filter((start) => start >= from && start < until).sort((a, b) => a - b)
      return within.flatMap((start) =>
        (sheets[per].get(start)?.get(tenant)?.all ?? []).map((line): UsageLine => ({ tenant, from: start, ...line })),
      )
    },
  }
}

function oldest(sheets: ReadonlyMap<number, unknown>): number {
  return Math.min(...sheets.keys())
}
