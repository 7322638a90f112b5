/**
 * Ids of one plugin-server process say nothing to another: Kong's workers keep theirs over a restart, and a new process that gave
 * the same ids to other configurations would decide by those.
 */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadProtocol } from '../../../kong/plugin-server/protocol.ts'
import { createConnections } from '../../kong/harness/pb-connection.ts'
import { createFolder, type Folder, type Serving, startService } from '../serving.ts'

const { handle } = loadProtocol()
/** What one worker of a Kong with three configurations starts. */
const CONFIGURATIONS = [['auth'], ['auth', 'quota'], ['auth', 'quota', 'flags']]

let folder: Folder
const servers: Serving[] = []
beforeEach(() => {
  folder = createFolder()
})
afterEach(async () => {
  for (const serving of servers.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  folder.remove()
})

/** The ids that a process of its own gives to the configurations, in this order. */
async function idsOf(name: string, configurations: readonly (readonly string[])[]): Promise<number[]> {
  const socket = join(folder.path, `${name}.sock`)
  servers.push(await startService('kong-plugin-server', ['--socket', socket, '--policy', folder.policyFile]))
  const connections = createConnections(socket, 5000)
  const connection = await connections.take()
  const ids: number[] = []
  for (const stages of configurations) {
    const config = Buffer.from(JSON.stringify({ stages }))
    connection.write(handle.requestSerialize({ sequence: 2, start_instance: { name: 'tenant-gate', config } }))
    ids.push(handle.responseDeserialize(await connection.read()).instance_status?.instance_id ?? 0)
  }
  connections.close()
  return ids
}

it('two processes with the same configurations have no id in common, and no id is 0', async () => {
  const before = await idsOf('before', CONFIGURATIONS)
  const after = await idsOf('after', [...CONFIGURATIONS].reverse())
  const ids = [...before, ...after]
  expect(new Set(ids).size).toBe(2 * CONFIGURATIONS.length)
  for (const id of ids) expect(id).toBeGreaterThan(0)
})
