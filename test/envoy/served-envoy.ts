/** A real Envoy on the reference, or what is made of it, before `serve` as a process: what is deployed, and the demo's backends. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { startBackends } from '../../demo/backends.ts'
import { type Folder, type Serving, serve } from '../cli/serving.ts'
import { socketFolder, startEnvoy, type TestEnvoy } from '../support/envoy.ts'

export interface ServedEnvoy {
  readonly envoy: TestEnvoy
  readonly sidecar: Serving
  /** Of all of it; the folder is removed. */
  stop(): Promise<void>
}

/** Serves the policy of the folder. `args` are more options of `serve`. */
export async function startServedEnvoy(
  folder: Folder,
  { args = [], yaml }: { readonly args?: readonly string[]; readonly yaml?: string } = {},
): Promise<ServedEnvoy> {
  const sockets = socketFolder()
  const sidecarSocket = join(sockets, 'gate.sock')
  const listeners = ['--listen', `unix:${sidecarSocket}`, '--http', '127.0.0.1:0']
  const sidecar = await serve(['--policy', folder.policyFile, ...listeners, ...args])
  const backends = await startBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports, ...(yaml !== undefined && { yaml }) })
  return {
    envoy,
    sidecar,
    async stop() {
      await envoy.stop()
      sidecar.signal('SIGKILL')
      await sidecar.exit
      backends.close()
      folder.remove()
      rmSync(sockets, { recursive: true, force: true })
    },
  }
}
