/** What tenants cost in memory, and what an idle `serve` takes. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiKey } from '../core/credentials/api-key.ts'
import { figure } from './measure.ts'
import { manyTenants, temporaryFolder } from './policies.ts'
import { startServe } from './server-process.ts'
import type { Table } from './table.ts'

const TENANTS = 10_000
const MEGABYTE = 1024 ** 2

export async function benchMemory(): Promise<Table> {
  const few = await used(0)
  const many = await used(TENANTS)
  const heap = (many.heapBytes - few.heapBytes) / MEGABYTE
  const megabytes = (name: string, value: number) => figure({ name, unit: 'MB', samples: [value] })
  return {
    title: 'memory: an idle serve, after a garbage collection',
    figures: [
      megabytes('heap, one tenant', few.heapBytes / MEGABYTE),
      megabytes(`heap that ${TENANTS} tenants with a key and an alias each add`, heap),
      megabytes('resident set, one tenant', few.rssBytes / MEGABYTE),
      megabytes(`resident set, ${TENANTS} tenants, just loaded`, many.rssBytes / MEGABYTE),
    ],
  }
}

async function used(tenants: number) {
  const folder = temporaryFolder()
  const policyFile = folder.write('policy.yaml', manyTenants(tenants, createApiKey('bench', randomBytes), 0))
  const server = await startServe(policyFile, join(folder.path, 'serve.sock'))
  try {
    // the thread that parsed ends by itself
    await sleep(500)
    return await server.ask('memory')
  } finally {
    await server.stop()
    folder.remove()
  }
}
