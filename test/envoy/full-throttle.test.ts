/** Tenants with a full queue, behind a real Envoy: they take no decision's place of any other. */
import { type ClientHttp2Session, connect } from 'node:http2'
import { expect, it } from 'vitest'
import { storedHash } from '../../core/credentials/api-key.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder } from '../cli/serving.ts'
import { newKey } from '../support/gate.ts'
import { referenceWith } from '../support/guarded-envoy.ts'
import { startServedEnvoy } from './served-envoy.ts'

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

interface Flood {
  readonly sessions: readonly ClientHttp2Session[]
  /** What is answered from now on is asked no more. */
  ebb(): void
}

/** So many requests at one time, a hundred on each connection: whatever is answered is asked again. */
function flood(port: number, key: string, times: number): Flood {
  let isOn = true
  const sessions = Array.from({ length: times / STREAMS }, () => {
    const session = connect(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    const ask = () => {
      if (!isOn || session.destroyed) return
      const stream = session.request({ ':path': '/paced', 'x-api-key': key })
      stream.on('error', () => {}).resume()
      stream.on('close', ask)
    }
    for (let i = 0; i < STREAMS; i++) ask()
    return session
  })
  return {
    sessions,
    ebb() {
      isOn = false
    },
  }
}

it('three tenants may have hundreds waiting each, and a fourth is decided about as ever', async () => {
  const folder = createFolder()
  folder.writePolicy(policy)
  const longer = { 'timeout: "0.5s"': 'timeout: "6s"', 'max_interval: "0.5s"': 'max_interval: "6s"' }
  const { envoy, sidecar, stop } = await startServedEnvoy(folder, { yaml: referenceWith([], longer) })
  const waiting = async () => {
    const text = await (await fetch(`${sidecar.http}/metrics`)).text()
    return Number(/^tenantgate_waiting_requests (\d+)$/m.exec(text)?.[1])
  }
  const rising: Flood[] = []
  try {
    const ask = () => exchange(envoy.port, { path: '/paced', headers: { 'x-api-key': keys.umbrella } })
    // Envoy has its connection: what comes before it is bounded apart
    expect((await ask()).status).toBe(200)
    for (const key of Object.values(floods)) rising.push(flood(envoy.port, key, 600))
    // more than Envoy lets be under way at one time unless it is told of those who wait
    await expect.poll(waiting, { interval: 20, timeout: 40_000 }).toBeGreaterThan(1200)
    for (const { ebb } of rising) ebb()
    expect((await ask()).status).toBe(200)
  } finally {
    for (const { sessions } of rising) for (const session of sessions) session.destroy()
    await stop()
  }
}, 90_000)
