/** How small steps are measured: CPU time, many short runs in turns, beside a reference that shows how busy the machine is. */

/** One line of the result. Of several runs the least is what the work costs, since noise only adds; the median tells the noise. */
export interface Figure {
  readonly name: string
  readonly unit: 'µs' | 'ms' | 'MB' | 'B' | '/s' | '%' | 'commands'
  readonly least: number
  readonly median: number
  /** What the design allows, in the same unit. */
  readonly budget?: number
  /** To the reference of the same table: the median of the ratios of each round. */
  readonly ratio?: number
}

export interface Step {
  readonly name: string
  /** Answers in the same tick, or always with a promise. */
  readonly call: () => unknown
  /** µs. */
  readonly budget?: number
}

/** Work of the same kind (strings, objects, garbage) that no change of ours touches. */
export function reference(): Step {
  const text = JSON.stringify({
    list: Array.from({ length: 40 }, (_, index) => ({ id: index, name: `entry ${index}` })),
  })
  return { name: 'reference: JSON.parse of 1 kB', call: () => JSON.parse(text) }
}

const ROUNDS = 15
const ROUND_MS = 30
const WARM_UP_MS = 300

/** CPU µs (user and system, all threads of this process) per call of each step; ratios are to the first step. */
export async function measureSteps(steps: readonly Step[]): Promise<readonly Figure[]> {
  const runs: { readonly step: Step; readonly calls: number; readonly samples: number[] }[] = []
  for (const step of steps) {
    await callsWithin(step, WARM_UP_MS)
    runs.push({ step, calls: await callsWithin(step, ROUND_MS), samples: [] })
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { step, calls, samples } of runs) samples.push(await cpuPerCall(step, calls))
  }
  const reference = runs[0]?.samples ?? []
  return runs.map(({ step: { name, budget }, samples }) => figure({ name, unit: 'µs', samples, budget, reference }))
}

interface Samples {
  readonly name: string
  readonly unit: Figure['unit']
  readonly samples: readonly number[]
  readonly budget?: number | undefined
  /** The reference's sample of each round. */
  readonly reference?: readonly number[]
}

/** Sums up the samples of a name. */
export function figure({ name, unit, samples, budget, reference }: Samples): Figure {
  const ratios = reference && samples.map((sample, round) => sample / (reference[round] ?? Number.NaN))
  return {
    name,
    unit,
    least: Math.min(...samples),
    median: quantile(samples, 0.5),
    ...(budget !== undefined && { budget }),
    ...(ratios && { ratio: quantile(ratios, 0.5) }),
  }
}

/** Says how quiet the machine was: on an idle one every run of the reference takes the same time. */
export function noiseText(reference: Figure | undefined): string {
  const excess = reference ? (reference.median / reference.least - 1) * 100 : Number.NaN
  return `noise: the reference's median is ${Math.round(excess)} % above its least`
}

/** The smallest value that at least `share` of the values do not exceed; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** Keeps results alive, so that the compiler cannot leave the work out. */
let sink: unknown

async function cpuPerCall(step: Step, calls: number): Promise<number> {
  const before = process.cpuUsage()
  await repeat(step, calls)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

async function repeat({ call }: Step, calls: number): Promise<void> {
  for (let done = 0; done < calls; done++) {
    sink = call()
    if (sink instanceof Promise) await sink
  }
}

/** How many calls fill the time; finding out warms them up. */
async function callsWithin(step: Step, ms: number): Promise<number> {
  const end = performance.now() + ms
  let calls = 0
  while (performance.now() < end) {
    await repeat(step, 50)
    calls += 50
  }
  return calls
}
