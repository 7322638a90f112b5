/** Keeps children from outliving us, even when we are killed outright: a watchdog process holds the other end of a pipe. */
import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Leash {
  /** From now on `pid` does not outlive this process. */
  add(pid: number): void
  /** `pid` has ended. */
  remove(pid: number): void
  /** Lets go: the watchdog ends what is still there, removes the folder, and goes. Settles when it has gone. */
  release(): Promise<void>
}

const watchdogFile = fileURLToPath(new URL(`./watchdog${extname(import.meta.url)}`, import.meta.url))

/** Starts the watchdog. It removes `folder` when we are gone. */
export function createLeash(folder: string): Leash {
  // a process group of its own: whoever kills ours does not kill it
  const watchdog = spawn(process.execPath, [watchdogFile, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const gone = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()))
  watchdog.stdin.on('error', () => {})
  return {
    add: (pid) => watchdog.stdin.write(`+${pid}\n`),
    remove: (pid) => watchdog.stdin.write(`-${pid}\n`),
    release: () => {
      watchdog.stdin.end()
      return gone
    },
  }
}
