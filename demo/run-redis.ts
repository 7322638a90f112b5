/** Starts a Redis for the demo: on the loopback interface, and what it was told outlives a kill. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild, waitUntilReady } from './child.ts'
import type { FoundRedis } from './find-redis.ts'
import { freePort } from './free-port.ts'
import type { Leash } from './leash.ts'

export interface RunningRedis {
  readonly child: Child
  /** As `--policy` and `--redis` take it. */
  readonly url: string
  /** Starts it again after it has ended, on the same port and with what it had. */
  again(): Promise<RunningRedis>
}

export interface RedisOptions {
  readonly redis: FoundRedis
  readonly leash: Leash
  /** Gets a folder for what it writes. */
  readonly folder: string
}

const ATTEMPTS = 4

/** Settles when it takes connections. Rejects with its last words when it cannot. */
export async function runRedis(options: RedisOptions): Promise<RunningRedis> {
  const own = mkdtempSync(join(options.folder, 'redis-'))
  for (let attempt = 1; ; attempt++) {
    try {
      return await runAt(await freePort(), own, options)
    } catch (error) {
      // somebody was quicker with this port: the next one
      if (attempt === ATTEMPTS || !(error as Error).message.includes('Address already in use')) throw error
    }
  }
}

async function runAt(port: number, own: string, options: RedisOptions): Promise<RunningRedis> {
  const { redis, leash } = options
  const where = ['--bind', '127.0.0.1', '--port', String(port), '--dir', own]
  // each change is in the system's hands before it is answered; forgetting limits or revocations for want of room is no option
  const keeping = ['--save', '', '--appendonly', 'yes', '--maxmemory', '64mb', '--maxmemory-policy', 'noeviction']
  const child = await startChild('Redis', redis.command, [...where, ...keeping], { leash })
  try {
    await waitUntilReady(child, () => child.lines.some((line) => line.includes('Ready to accept')) || undefined)
  } catch (error) {
    await child.kill()
    throw error
  }
  return { child, url: `redis://127.0.0.1:${port}`, again: () => runAt(port, own, options) }
}
