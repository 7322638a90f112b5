/** What a live reload of ten thousand tenants does to the calls of that moment. */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiKey } from '../core/credentials/api-key.ts'
import { figure, quantile } from './measure.ts'
import { latenciesOf, startPaced } from './paced-client.ts'
import { type Folder, manyTenants, temporaryFolder } from './policies.ts'
import { checkMessage } from './requests.ts'
import { type ServerProcess, startServe } from './server-process.ts'
import type { Table } from './table.ts'

const TENANTS = 10_000
const ROUNDS = 5
const CALLS_PER_SECOND = 200

/** Of one stretch of time, with a reload in it or without; all in ms. */
interface Stretch {
  readonly tookMs: number
  readonly longestGapMs: number
  readonly p99Ms: number
  readonly slowestMs: number
}

export async function benchReload(): Promise<Table> {
  const folder = temporaryFolder()
  const key = createApiKey('bench', randomBytes)
  const policyFile = folder.write('policy.yaml', manyTenants(TENANTS, key, 0))
  const startedAt = performance.now()
  const server = await startServe(policyFile, join(folder.path, 'serve.sock'))
  const startMs = performance.now() - startedAt
  const messageFile = folder.write('check.bin', checkMessage({ 'x-api-key': key }))
  const client = startPaced(server.socket, messageFile, CALLS_PER_SECOND)
  const quiet: Stretch[] = []
  const reloading: Stretch[] = []
  try {
    // the first calls are slower than all others: connections, cold code
    await sleep(2000)
    for (let round = 1; round <= ROUNDS; round++) {
      const text = manyTenants(TENANTS, key, round)
      const reloaded = await stretch(server, client, () => replace(folder, policyFile, text, server))
      reloading.push(reloaded)
      quiet.push(await stretch(server, client, () => sleep(reloaded.tookMs)))
    }
  } finally {
    client.kill()
    await server.stop()
    folder.remove()
  }
  return tableOf(startMs, quiet, reloading)
}

async function stretch(server: ServerProcess, client: ChildProcess, act: () => Promise<unknown>): Promise<Stretch> {
  await sleep(500)
  await latenciesOf(client)
  await server.ask('watch')
  const startedAt = performance.now()
  await act()
  const tookMs = performance.now() - startedAt
  // what the old policy leaves behind is collected a little later
  await sleep(500)
  const { longestGapMs } = await server.ask('gap')
  const list = await latenciesOf(client)
  return { tookMs, longestGapMs, p99Ms: quantile(list, 0.99), slowestMs: Math.max(...list) }
}

/** Renamed over the old file, as editors and deployments do. */
function replace(folder: Folder, policyFile: string, text: string, server: ServerProcess): Promise<void> {
  const reloaded = server.line('policy reloaded')
  renameSync(folder.write('policy.new', text), policyFile)
  return reloaded
}

function tableOf(startMs: number, quiet: readonly Stretch[], reloading: readonly Stretch[]): Table {
  const pair = (name: string, field: keyof Stretch) => [
    figure({ name: `${name}, no reload`, unit: 'ms', samples: quiet.map((one) => one[field]) }),
    figure({ name: `${name}, during a reload`, unit: 'ms', samples: reloading.map((one) => one[field]) }),
  ]
  const worst = (field: keyof Stretch) => Math.max(...reloading.map((one) => one[field])).toFixed(1)
  return {
    title: `reload: ${TENANTS} tenants with a key each, followed live by serve, ${ROUNDS} times`,
    figures: [
      figure({ name: 'start until listening', unit: 'ms', samples: [startMs] }),
      figure({
        name: 'from the write until the new policy is live',
        unit: 'ms',
        samples: reloading.map((r) => r.tookMs),
      }),
      ...pair('longest gap of a timer of 1 ms', 'longestGapMs'),
      ...pair('p99 of Checks', 'p99Ms'),
      ...pair('slowest Check', 'slowestMs'),
    ],
    notes: [
      `Checks come from another process, ${CALLS_PER_SECOND} a second, each timed from when it was due`,
      `worst of all rounds: gap ${worst('longestGapMs')} ms, slowest Check ${worst('slowestMs')} ms`,
    ],
  }
}
