/**
 * Outlives the launcher, and cleans up behind it: when the pipe to the launcher closes, however the launcher ended, every
 * process named on it is ended, and the folder with the demo's credentials is removed. Reads `+PID` and `-PID` lines.
 */
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

const GRACE_MS = 3000

const [folder] = process.argv.slice(2)
const watched = new Set<number>()

// Ctrl-C is for the launcher; this one goes when its work is done
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (!Number.isSafeInteger(pid) || pid <= 1) continue
  if (line.startsWith('+')) watched.add(pid)
  else watched.delete(pid)
}

for (const pid of watched) send(pid, 'SIGTERM')
for (let waited = 0; waited < GRACE_MS && [...watched].some(isAlive); waited += 50) await wait(50)
for (const pid of watched) send(pid, 'SIGKILL')
if (folder !== undefined) rmSync(folder, { recursive: true, force: true })

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    watched.delete(pid)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
