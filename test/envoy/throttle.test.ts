/** A limit with a delay, behind a real Envoy: it admits what one without refuses, and never keeps Envoy waiting too long. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, exchange } from '../../demo/smoke/exchange.ts'
import { createFolder } from '../cli/serving.ts'
import { type ServedEnvoy, startServedEnvoy } from './served-envoy.ts'

const route = (name: string, ...limits: string[]) =>
  `  - { name: ${name}, match: { path: /${name} }, limits: [${limits.join(', ')}] }\n`

const folder = createFolder(
  route('strict', '{ name: strict, rate: 10/s, burst: 1 }') +
    route('paced', '{ name: paced, rate: 10/s, burst: 1, delay: 300ms }') +
    route('narrow', '{ name: narrow, rate: 5 per 2s, burst: 1, delay: 400ms }') +
    route('patient', '{ name: patient, rate: 1/s, burst: 1, delay: 3s }') +
    route('left', '{ name: left, rate: 5 per 2s, burst: 1, delay: 400ms }', '{ name: few, quota: 2/year }'),
)
let served: ServedEnvoy

beforeAll(async () => {
  served = await startServedEnvoy(folder)
})
afterAll(() => served.stop())

const headers = { 'x-api-key': folder.key }
const ask = (path: string) => exchange(served.envoy.port, { path, headers })

/** So many at the same time, as they were answered. */
async function askAtOnce(path: string, times: number): Promise<Answer[]> {
  const answered: Answer[] = []
  const asked = Array.from({ length: times }, () => ask(path).then((answer) => answered.push(answer)))
  await Promise.all(asked)
  return answered
}

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)

async function waiting(): Promise<string | undefined> {
  const text = await (await fetch(`${served.sidecar.http}/metrics`)).text()
  return /^tenantgate_waiting_requests (\d+)$/m.exec(text)?.[1]
}

describe('a limit with a delay', () => {
  it('admits what one without refuses', async () => {
    expect(statuses(await askAtOnce('/strict', 4))).toContain(429)
    expect(statuses(await askAtOnce('/paced', 4))).toEqual([200, 200, 200, 200])
  })

  it('refuses at once what comes when its queue is full, before those who wait are answered', async () => {
    const answers = await askAtOnce('/narrow', 5)
    expect(statuses(answers).sort()).toEqual([200, 200, 429, 429, 429])
    expect(answers.at(-1)?.status).toBe(200)
  })

  it('refuses what would wait for longer than Envoy does: that is 429, and no 503', async () => {
    expect(statuses([await ask('/patient'), await ask('/patient')])).toEqual([200, 429])
  })

  it('charges nothing to a client that leaves while it waits', async () => {
    expect((await ask('/left')).status).toBe(200)
    const gone = request({ host: '127.0.0.1', port: served.envoy.port, path: '/left', headers, agent: false })
    gone.on('error', () => {})
    gone.end()
    await expect.poll(waiting, { interval: 5 }).toBe('1')
    gone.destroy()
    await expect.poll(waiting, { interval: 5 }).toBe('0')
    // had it been charged, the year's two were used up
    expect((await ask('/left')).status).toBe(200)
    expect((await ask('/left')).json.code).toBe('quota_exceeded')
    const text = await (await fetch(`${served.sidecar.http}/metrics`)).text()
    expect(text).toMatch(/^tenantgate_decisions_total\{decision="deny",reason="dependency_unavailable"\} 1$/m)
  })

  it('is counted: how many were held back, and for how long', async () => {
    const text = await (await fetch(`${served.sidecar.http}/metrics`)).text()
    const delayed = Number(/^tenantgate_delayed_requests_total (\d+)$/m.exec(text)?.[1])
    expect(delayed).toBeGreaterThan(0)
    expect(text).toContain(`tenantgate_request_delay_seconds_count ${delayed}\n`)
  })
})
