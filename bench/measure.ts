/** How the benchmarks measure: CPU time of this process, which other work on the machine disturbs least. */

/** One line of the result. */
export interface Line {
  readonly name: string
  /** User and system time in µs per call: the least of the runs, since noise only adds. */
  readonly cpuMicros: number
  /** What DESIGN allows, in µs. */
  readonly budget?: number
}

const RUNS = 20
const RUN_MS = 60

/** CPU µs per call of `call`, warmed up; the least of twenty short runs. Calls must be synchronous when warm. */
export function cpuPerCall(call: () => unknown): number {
  if (call() instanceof Promise) throw new Error('a warm call answers in the same tick')
  calibrate(call, 500)
  const calls = calibrate(call, RUN_MS)
  const runs = Array.from({ length: RUNS }, () => {
    const before = process.cpuUsage()
    for (let i = 0; i < calls; i++) call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / calls
  })
  return Math.min(...runs)
}

/** How many calls fill `ms`; finding out warms them up. */
function calibrate(call: () => unknown, ms: number): number {
  const end = performance.now() + ms
  let calls = 0
  while (performance.now() < end) {
    for (let i = 0; i < 100; i++) call()
    calls += 100
  }
  return calls
}
