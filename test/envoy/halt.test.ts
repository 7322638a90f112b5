/** A sidecar that stood still for longer than Envoy waits charges nobody for what Envoy has answered without it. */
import { expect, it } from 'vitest'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder } from '../cli/serving.ts'
import { startServedEnvoy } from './served-envoy.ts'

it('requests that were refused while the sidecar was stopped are not charged when it goes on', async () => {
  const route = '{ name: rare, match: { path: /rare }, limits: [{ name: rare, quota: 1000/year, by: [credential] }] }'
  const folder = createFolder(`  - ${route}\n`)
  const { envoy, sidecar, stop } = await startServedEnvoy(folder)
  try {
    const ask = () => exchange(envoy.port, { path: '/rare', headers: { 'x-api-key': folder.key } })
    const left = ({ headers }: { headers: Readonly<Record<string, unknown>> }) =>
      Number(headers['x-ratelimit-remaining'])
    // the first ones may take longer than Envoy waits, where the machine is busy
    await expect.poll(async () => (await ask()).status, { timeout: 15_000 }).toBe(200)
    const before = await ask()
    expect(before.status).toBe(200)
    sidecar.signal('SIGSTOP')
    const refused = await Promise.all([ask(), ask(), ask()])
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 503])
    sidecar.signal('SIGCONT')
    const after = await ask()
    expect([after.status, left(after)]).toEqual([200, left(before) - 1])
  } finally {
    sidecar.signal('SIGCONT')
    await stop()
  }
})
