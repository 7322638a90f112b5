/** Tenants with a full queue, behind a real Envoy: they take no decision's place of any other. */
import { rmSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { storedHash } from '../../core/credentials/api-key.ts'
import { startBackends } from '../../demo/backends.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder, serve } from '../cli/serving.ts'
import { socketFolder, startEnvoy } from '../support/envoy.ts'
import { newKey } from '../support/gate.ts'
import { referenceWith } from '../support/guarded-envoy.ts'

const STREAMS = 100
const floods = { acme: newKey().key, globex: newKey().key, initech: newKey().key }
const keys = { ...floods, umbrella: newKey().key }

/** Each may have 500 waiting, and more are asked for: the queues stay full however slowly a busy machine takes them in. */
const policy = `version: 1
plans: { paced: { limits: [{ name: paced, rate: 100/s, burst: 1, delay: 5s }] } }
tenants:
${Object.entries(keys)
  .map(([id, key]) => `  ${id}: { plan: paced, apiKeys: [{ id: ci, hash: "${storedHash(key)}" }] }`)
  .join('\n')}
routes: [{ name: paced, match: { path: /paced } }]
`

/** So many requests at one time, a hundred on each connection; nobody waits for their answers. */
function flood(port: number, key: string, times: number): ClientHttp2Session[] {
  return Array.from({ length: times / STREAMS }, () => {
    const session = connect(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    for (let i = 0; i < STREAMS; i++) {
      const stream = session.request({ ':path': '/paced', 'x-api-key': key })
      stream.on('error', () => {}).resume()
    }
    return session
  })
}

it('three tenants may have hundreds waiting each, and a fourth is decided about as ever', async () => {
  const sockets = socketFolder()
  const sidecarSocket = join(sockets, 'gate.sock')
  const folder = createFolder()
  folder.writePolicy(policy)
  const listeners = ['--listen', `unix:${sidecarSocket}`, '--http', '127.0.0.1:0']
  const sidecar = await serve(['--policy', folder.policyFile, ...listeners])
  const backends = await startBackends()
  const longer = { 'timeout: "0.5s"': 'timeout: "6s"', 'max_interval: "0.5s"': 'max_interval: "6s"' }
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports, yaml: referenceWith([], longer) })
  const waiting = async () => {
    const text = await (await fetch(`${sidecar.http}/metrics`)).text()
    return Number(/^tenantgate_waiting_requests (\d+)$/m.exec(text)?.[1])
  }
  const sessions: ClientHttp2Session[] = []
  try {
    const ask = () => exchange(envoy.port, { path: '/paced', headers: { 'x-api-key': keys.umbrella } })
    // Envoy has its connection: what comes before it is bounded apart
    expect((await ask()).status).toBe(200)
    for (const key of Object.values(floods)) sessions.push(...flood(envoy.port, key, 1000))
    // more than Envoy lets be under way at one time unless it is told of those who wait
    await expect.poll(waiting, { interval: 20, timeout: 10_000 }).toBeGreaterThan(1200)
    expect((await ask()).status).toBe(200)
  } finally {
    for (const session of sessions) session.destroy()
    await envoy.stop()
    sidecar.signal('SIGKILL')
    await sidecar.exit
    backends.close()
    folder.remove()
    rmSync(sockets, { recursive: true, force: true })
  }
})
