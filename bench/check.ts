/** CPU of the server's process per Check over gRPC on the Unix socket, as fast as it goes, beside a server that decides nothing. */
import { join } from 'node:path'
import { loadAuthorization } from '../ext-authz/service.ts'
import { openCaller } from './caller.ts'
import { CONNECTIONS, findLoad, type Load, STREAMS } from './load.ts'
import { figure, noiseText } from './measure.ts'
import { benchPolicy, temporaryFolder } from './policies.ts'
import { checkMessage } from './requests.ts'
import { type ServerProcess, startEmptyServer, startServe } from './server-process.ts'
import type { Table } from './table.ts'

const ROUNDS = 5
const REQUESTS = 20_000

/** One server and the message it gets. */
interface Contender {
  readonly name: string
  readonly server: ServerProcess
  readonly message: Buffer
  readonly file: string
  readonly cpuMicros: number[]
  readonly perSecond: number[]
  readonly budget?: number
}

export async function benchCheck(): Promise<Table> {
  const folder = temporaryFolder()
  const { text, files, key, token } = await benchPolicy()
  for (const [name, content] of Object.entries(files)) folder.write(name, content)
  const empty = await startEmptyServer(join(folder.path, 'empty.sock'))
  const serve = await startServe(folder.write('policy.yaml', text), join(folder.path, 'serve.sock'))
  const contender = (name: string, server: ServerProcess, message: Buffer, budget?: number): Contender => {
    const file = folder.write(`${name.replaceAll(/\W/g, '-')}.bin`, message)
    return { name, server, message, file, cpuMicros: [], perSecond: [], ...(budget !== undefined && { budget }) }
  }
  const byKey = checkMessage({ 'x-api-key': key })
  const byToken = checkMessage({ authorization: `Bearer ${token}` })
  const contenders = [
    contender('empty Check, grpc-js', empty, byToken),
    contender('Check: API key, 3 limits, flag', serve, byKey, 65),
    contender('Check: RS256 token, 3 limits, flag', serve, byToken, 65),
  ]
  const load = findLoad()
  try {
    for (const { server, message } of contenders) await assertAllowed(server.socket, message)
    for (const contender of contenders) await drive(contender, load)
    for (let round = 0; round < ROUNDS; round++) for (const contender of contenders) await measure(contender, load)
  } finally {
    await Promise.all([empty.stop(), serve.stop()])
    folder.remove()
  }
  return tableOf(contenders, load)
}

async function assertAllowed(socket: string, message: Buffer): Promise<void> {
  const caller = openCaller(socket)
  const answer = await caller.call(message)
  caller.close()
  const code = loadAuthorization().Check.responseDeserialize(answer).status?.code ?? 0
  if (code !== 0) throw new Error(`the request to measure is refused with status ${code}`)
}

function drive({ server: { socket }, file }: Contender, load: Load): Promise<void> {
  return load.run(socket, file, REQUESTS)
}

async function measure(contender: Contender, load: Load): Promise<void> {
  const { server, cpuMicros, perSecond } = contender
  const before = await server.ask('usage')
  const startedAt = performance.now()
  await drive(contender, load)
  const seconds = (performance.now() - startedAt) / 1000
  const after = await server.ask('usage')
  cpuMicros.push((after.cpuMicros - before.cpuMicros) / REQUESTS)
  perSecond.push(REQUESTS / seconds)
}

function tableOf(contenders: readonly Contender[], load: Load): Table {
  const reference = contenders[0]?.cpuMicros ?? []
  const sizes = contenders.map(({ message }) => message.length).join(', ')
  const speeds = contenders.map(({ name, perSecond }) => `${name} ${Math.round(Math.max(...perSecond))}/s`).join('; ')
  const figures = contenders.map(({ name, cpuMicros, budget }) =>
    figure({ name, unit: 'µs', samples: cpuMicros, budget, reference }),
  )
  return {
    title: 'check: CPU of the server per Check over gRPC on a Unix socket, at saturation',
    reference: 'empty Check, grpc-js',
    figures,
    notes: [
      `load: ${load.name}, ${CONNECTIONS} connections × ${STREAMS} streams, ${ROUNDS} rounds of ${REQUESTS} requests in turns; messages of ${sizes} bytes`,
      `fastest round: ${speeds}`,
      noiseText(figures[0]),
    ],
  }
}
