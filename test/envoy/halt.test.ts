/** A sidecar that stood still for longer than Envoy waits charges nobody for what Envoy has answered without it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startBackends } from '../../demo/backends.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder, serve } from '../cli/serving.ts'
import { socketFolder, startEnvoy } from '../support/envoy.ts'

it('requests that were refused while the sidecar was stopped are not charged when it goes on', async () => {
  const sockets = socketFolder()
  const sidecarSocket = join(sockets, 'gate.sock')
  const route = '{ name: rare, match: { path: /rare }, limits: [{ name: rare, rate: 3/h, by: [credential] }] }'
  const folder = createFolder(`  - ${route}\n`)
  const sidecar = await serve(['--policy', folder.policyFile, '--listen', `unix:${sidecarSocket}`, '--http', 'off'])
  const backends = await startBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports })
  try {
    const ask = () => exchange(envoy.port, { path: '/rare', headers: { 'x-api-key': folder.key } })
    expect((await ask()).status).toBe(200)
    sidecar.signal('SIGSTOP')
    const refused = await Promise.all([ask(), ask(), ask()])
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 503])
    sidecar.signal('SIGCONT')
    const after = await ask()
    expect([after.status, after.headers['x-ratelimit-remaining']]).toEqual([200, '1'])
  } finally {
    sidecar.signal('SIGCONT')
    await envoy.stop()
    sidecar.signal('SIGKILL')
    await sidecar.exit
    backends.close()
    folder.remove()
    rmSync(sockets, { recursive: true, force: true })
  }
})
