/** CPU time of processes that are not ours, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux reports in ticks of 10 ms (`getconf CLK_TCK`, 100 on every platform that Node supports). */
const TICK_MICROS = 10_000

interface Stat {
  readonly parent: number
  readonly cpuMicros: number
}

/** µs of user and system time of a process and all that descend from it, so far. Children that have ended do not count. */
export function cpuOfTree(root: number): number {
  const stats = new Map(
    readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0)
      .map((pid) => [pid, statOf(pid)] as const),
  )
  const within = (pid: number): boolean => pid === root || (pid > 1 && within(stats.get(pid)?.parent ?? 0))
  let sum = 0
  for (const [pid, stat] of stats) if (stat !== undefined && within(pid)) sum += stat.cpuMicros
  return sum
}

/** proc(5): behind the name, which may hold anything, field 4 is the parent, 14 and 15 are the time. */
function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), cpuMicros: (Number(fields[11]) + Number(fields[12])) * TICK_MICROS }
  } catch {
    return undefined
  }
}
