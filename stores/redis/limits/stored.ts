/** A bucket as `counter.lua` packs it, read as a counter of the core: for those who administer. */
import type { Counter } from '../../../core/limits/counter.ts'
import type { RateLimit, Series } from '../../../core/limits/limit.ts'

/** Undefined where nothing is stored, or what counted another kind of limit, or what cannot be read. */
export function counterIn(stored: Buffer | null | undefined, { limit, calendar }: Series): Counter | undefined {
  if (!stored || !isWhole(stored)) return undefined
  const at = (index: number) => stored.readDoubleLE(1 + 8 * index)
  const isRate = stored[0] === 0
  if (isRate && limit.kind === 'rate') {
    const under = { ...limit, tokens: at(4), periodMs: at(5), burst: at(6) }
    return { kind: 'rate', limit: under, parts: at(0), at: at(1), former: formerIn(stored, under), refused: at(2) }
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
const FORMER = 89
/** Of a rate without and with grants, and with a former limit; of a quota without and with windows before. */
const LENGTHS = [
  [57, FORMER, 121],
  [EARLIER, 97],
]
/** Far beyond whatever is counted, and beyond any time. */
const MOST = 2 ** 60

/** As `numbers_of` there: of one of these lengths, and nothing in it that is never written. */
function isWhole(stored: Buffer): boolean {
  if (!LENGTHS[stored[0] ?? -1]?.includes(stored.length)) return false
  const numbers = Array.from({ length: (stored.length - 1) / 8 }, (_, i) => stored.readDoubleLE(1 + 8 * i))
  if (!numbers.every((number) => Math.abs(number) <= MOST)) return false
  // what flows in, and in which time, under the limit and the former one
  const flows = stored[0] === 0 ? [4, 5, 12, 13] : []
  return flows.every((index) => (numbers[index] ?? 1) >= 1)
}

/** How it stands under its former limit, of which no more is known than its arithmetic. */
function formerIn(stored: Buffer, limit: RateLimit) {
  if (stored.length <= FORMER) return undefined
  const at = (index: number) => stored.readDoubleLE(FORMER + 8 * index)
  return { parts: at(0), at: stored.readDoubleLE(9), limit: { ...limit, tokens: at(1), periodMs: at(2), burst: at(3) } }
}

function earlierFrom(stored: Buffer) {
  const at = (index: number) => stored.readDoubleLE(EARLIER + 8 * index)
  const [start, end] = [at(0), at(1)]
  return { window: end > start ? { start, end } : undefined, used: at(2), shared: at(3), most: at(4) }
}
