/** A client in a process of its own: `paced SOCKET FILE PER_SECOND` calls at a steady pace and tells how long answers took. */
import { readFileSync } from 'node:fs'
import { openCaller } from './caller.ts'

const [socket = '', file = '', perSecond = '1'] = process.argv.slice(2)
const message = readFileSync(file)
const caller = openCaller(socket)
const intervalMs = 1000 / Number(perSecond)
/** So many seconds' worth of calls may wait: beyond, it is not the pace that is measured. */
const MOST_SECONDS = 5
const most = MOST_SECONDS * Number(perSecond)

let latenciesMs: number[] = []
let waiting = 0
let due = performance.now() + intervalMs

/** A call counts from the moment it was due: one that could not be sent in time has waited as well. */
async function callDueAt(dueAt: number): Promise<void> {
  waiting += 1
  if (waiting > most) throw new Error(`${most} others wait, since answers come more slowly than ${perSecond} a second`)
  await caller.call(message)
  waiting -= 1
  latenciesMs.push(performance.now() - dueAt)
}

const fail = (error: unknown) => {
  process.stderr.write(`a call failed: ${error}\n`)
  process.exit(1)
}

setInterval(() => {
  for (; due <= performance.now(); due += intervalMs) callDueAt(due).catch(fail)
}, 1)

// each message asks for what was measured since the last one
process.on('message', () => {
  process.send?.(latenciesMs)
  latenciesMs = []
})
process.on('disconnect', () => process.exit())
