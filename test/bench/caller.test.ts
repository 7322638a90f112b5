/** A benchmark's client waits for a slow server as long as that takes, and for one that has ended not at all. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openCaller } from '../../bench/caller.ts'
import { asked } from '../../bench/child-answer.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-caller-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('8,000 calls that wait at once are all answered', async () => {
  const server = createServer({ settings: { maxConcurrentStreams: 100 } }, (_, response) => {
    response.writeHead(200, { 'grpc-status': '0' }).end(Buffer.alloc(5))
  })
  const socket = join(folder, 's.sock')
  await once(server.listen(socket), 'listening')
  const caller = openCaller(socket)
  const message = Buffer.alloc(1200)
  const answers = await Promise.all(Array.from({ length: 8000 }, () => caller.call(message)))
  expect(answers).toHaveLength(8000)
  caller.close()
  await new Promise((resolve) => server.close(resolve))
})

it.each([
  ['ends when it is asked', "process.on('message', () => process.exit())"],
  ['has ended before', 'process.exit()'],
])('a process that %s is not waited for', async (how, code) => {
  const file = join(folder, 'child.mjs')
  writeFileSync(file, code)
  const child = fork(file)
  if (how === 'has ended before') await once(child, 'exit')
  await expect(asked(child, 'tell', 'it has ended')).rejects.toThrow('it has ended')
})
