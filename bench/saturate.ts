/** Our own load generator: `saturate SOCKET FILE PATH REQUESTS CONNECTIONS STREAMS`, each stream sending its next request at once. */
import { readFileSync } from 'node:fs'
import { openCaller } from './caller.ts'

const [socket = '', file = '', path = '', ...numbers] = process.argv.slice(2)
const [requests = 0, connections = 1, streams = 1] = numbers.map(Number)
const message = readFileSync(file)
let left = requests

const callers = Array.from({ length: connections }, () => openCaller(socket, path))
const lanes = callers.flatMap((caller) =>
  Array.from({ length: streams }, async () => {
    while (left > 0) {
      left -= 1
      await caller.call(message)
    }
  }),
)
await Promise.all(lanes)
for (const caller of callers) caller.close()
