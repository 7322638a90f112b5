/** A bucket as `counter.lua` packs it, read as a counter of the core: for those who administer. */
import type { Counter } from '../../../core/limits/counter.ts'
import type { Series } from '../../../core/limits/limit.ts'

/** Undefined where nothing is stored, or what counted another kind of limit, or what cannot be read. */
export function counterIn(stored: Buffer | null | undefined, { limit, calendar }: Series): Counter | undefined {
  if (!stored || !isWhole(stored)) return undefined
  const at = (index: number) => stored.readDoubleLE(1 + 8 * index)
  const isRate = stored[0] === 0
  if (isRate && limit.kind === 'rate') {
    const under = { ...limit, tokens: at(4), periodMs: at(5), burst: at(6) }
    return { kind: 'rate', limit: under, parts: at(0), at: at(1), refused: at(2) }
  }
  if (isRate || limit.kind === 'rate') return undefined
  return {
    kind: 'quota',
    // another object than the limit's: the window is looked at again
    limit: { ...limit },
    calendar,
    window: { start: at(0), end: at(1) },
    used: at(2),
    refused: at(3),
    earlier: stored.length > EARLIER ? earlierFrom(stored) : undefined,
  }
}

const EARLIER = 57
/** Of a rate without and with grants, of a quota without and with windows before. */
const LENGTHS = [
  [57, 89],
  [EARLIER, 97],
]

const isWhole = (stored: Buffer) => LENGTHS[stored[0] ?? -1]?.includes(stored.length)

function earlierFrom(stored: Buffer) {
  const at = (index: number) => stored.readDoubleLE(EARLIER + 8 * index)
  const [start, end] = [at(0), at(1)]
  return { window: end > start ? { start, end } : undefined, used: at(2), shared: at(3), most: at(4) }
}
