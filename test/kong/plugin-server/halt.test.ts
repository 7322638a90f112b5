/** What is read after the process stood still is held back, and keeps its order. */
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, it } from 'vitest'
import { framed } from '../../../kong/plugin-server/frames.ts'
import { loadProtocol } from '../../../kong/plugin-server/protocol.ts'
import { callBytes, start } from './running.ts'

const { handle } = loadProtocol()

it('pieces of a call that come when the halt is over wait for those that are still held back', async () => {
  let asked = 0
  // the first piece is read within the halt, the others after it, all in one turn of the event loop
  const running = await start(async () => {}, { hasHalted: () => asked++ === 0 })
  // a real socket would not promise that its pieces are read apart, and in one turn
  const [kong, socket] = duplexPair()
  running.server.accept(socket as unknown as Socket)
  const call = callBytes({ sequence: 7, start_instance: { name: 'gate', config: Buffer.from('{}') } })
  for (const at of [0, 5, 10]) kong.write(call.subarray(at, at === 10 ? call.length : at + 5))
  const status = { name: 'gate', instance_id: 1000, started_at: 0 }
  const answer = framed(handle.responseSerialize({ sequence: 7, instance_status: status }))
  const chunks: Buffer[] = []
  kong.on('data', (chunk) => chunks.push(chunk))
  const isOver = new Promise<void>((resolve) => {
    kong.once('data', () => resolve())
    socket.once('close', () => resolve())
  })
  await isOver
  expect(Buffer.concat(chunks)).toEqual(answer)
  kong.destroy()
})
