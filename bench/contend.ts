/** Servers in processes of their own, each driven as fast as it goes, in turns: the CPU that a call costs them. */
import { openCaller } from './caller.ts'
import { CONNECTIONS, findLoad, type Load, STREAMS } from './load.ts'
import { figure, noiseText } from './measure.ts'
import type { ServerProcess } from './server-process.ts'
import type { Table } from './table.ts'

const ROUNDS = 5
const REQUESTS = 20_000

/** One server and the message it gets. */
export interface Contender {
  readonly name: string
  readonly server: ServerProcess
  /** A gRPC message, its prefix included. */
  readonly message: Buffer
  /** The same in a file. */
  readonly file: string
  /** µs. */
  readonly budget?: number
}

export interface Contest {
  readonly title: string
  /** Of the method. */
  readonly path: string
  /** Throws where an answer is not what is to be measured. */
  readonly assertGood: (answer: Buffer) => void
  /** The first is what the others are compared with. */
  readonly contenders: readonly Contender[]
}

interface Samples {
  readonly cpuMicros: number[]
  readonly perSecond: number[]
}

export async function contend(contest: Contest): Promise<Table> {
  const { contenders, path } = contest
  const load = findLoad()
  const drive = ({ server, file }: Contender) => load.run(server.socket, file, REQUESTS, path)
  for (const contender of contenders) await assertGood(contender, contest)
  for (const contender of contenders) await drive(contender)
  const samples = contenders.map((): Samples => ({ cpuMicros: [], perSecond: [] }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, contender] of contenders.entries()) {
      await measure(contender.server, () => drive(contender), samples[index])
    }
  }
  return tableOf(contest, samples, load)
}

async function assertGood({ server, message }: Contender, contest: Contest): Promise<void> {
  const caller = openCaller(server.socket, contest.path)
  contest.assertGood(await caller.call(message))
  caller.close()
}

async function measure(server: ServerProcess, drive: () => Promise<void>, samples?: Samples): Promise<void> {
  const before = await server.ask('usage')
  const startedAt = performance.now()
  await drive()
  const seconds = (performance.now() - startedAt) / 1000
  const after = await server.ask('usage')
  samples?.cpuMicros.push((after.cpuMicros - before.cpuMicros) / REQUESTS)
  samples?.perSecond.push(REQUESTS / seconds)
}

function tableOf({ title, contenders }: Contest, samples: readonly Samples[], load: Load): Table {
  const reference = samples[0]?.cpuMicros ?? []
  const sizes = contenders.map(({ message }) => message.length).join(', ')
  const speeds = contenders.map(
    ({ name }, index) => `${name} ${Math.round(Math.max(...(samples[index]?.perSecond ?? [])))}/s`,
  )
  const figures = contenders.map(({ name, budget }, index) =>
    figure({ name, unit: 'µs', samples: samples[index]?.cpuMicros ?? [], budget, reference }),
  )
  return {
    title,
    reference: contenders[0]?.name ?? '',
    figures,
    notes: [
      `load: ${load.name}, ${CONNECTIONS} connections × ${STREAMS} streams, ${ROUNDS} rounds of ${REQUESTS} requests in turns; messages of ${sizes} bytes`,
      `fastest round: ${speeds.join('; ')}`,
      noiseText(figures[0]),
    ],
  }
}
