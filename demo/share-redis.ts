/** What the sidecars of a demo share: a Redis with the demo's policy in it, changed by the command line as users change it. */
import { join } from 'node:path'
import { packageRoot } from '../package-root.ts'
import type { Child } from './child.ts'
import { findRedis } from './find-redis.ts'
import type { Leash } from './leash.ts'
import { type RunningRedis, runRedis } from './run-redis.ts'
import { commandLine, plainEnvironment } from './run-sidecar.ts'
import { runToEnd } from './run-to-end.ts'

export interface SharedRedis {
  readonly url: string
  /** Where its server was found, for people. */
  readonly origin: string
  child(): Child
  /** Ends it as a crash does. */
  kill(): Promise<void>
  /** Starts it again after `kill`, with what it had. */
  startAgain(): Promise<void>
  /** Runs a command of `tenantgate` on it; what it prints. Rejects when it fails. */
  tenantgate(...args: string[]): Promise<string>
}

export interface ShareOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  readonly leash: Leash
  readonly folder: string
  readonly policyFile: string
}

/** Finds or installs a server, starts it and imports the policy. Rejects with words for people. */
export async function shareRedis({ env, say, leash, folder, policyFile }: ShareOptions): Promise<SharedRedis> {
  const found = await findRedis({ env, cacheFolder: join(packageRoot, '.cache', 'redis'), say })
  if (!found.ok) throw new Error(found.problem)
  let running: RunningRedis = await runRedis({ redis: found.redis, leash, folder })
  const { url } = running
  const tenantgate = async (...args: string[]) => {
    const all = [commandLine, ...args, '--redis', url]
    const told = await runToEnd(process.execPath, all, { env: plainEnvironment(), timeoutMs: 60_000 })
    if (told === undefined) throw new Error(`tenantgate ${args.join(' ')} --redis ${url} failed`)
    return told
  }
  await tenantgate('tenants', 'import', policyFile)
  return {
    url,
    origin: `${found.redis.version}, ${found.redis.origin}`,
    child: () => running.child,
    kill: () => running.child.kill(),
    startAgain: async () => {
      running = await running.again()
    },
    tenantgate,
  }
}
