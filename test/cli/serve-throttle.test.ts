/** A stop while requests are held back: they are answered when their turn comes, and nothing waits for longer than the drain. */
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type CheckClient, checkOf, createClient } from '../ext-authz/client.ts'
import { createFolder, type Folder, type Serving, serve } from './serving.ts'

let folder: Folder
let serving: Serving
let client: CheckClient

async function start(limit: string, ...args: string[]): Promise<void> {
  folder = createFolder(`  - { name: paced, match: { path: /paced }, limits: [{ name: paced, ${limit} }] }\n`)
  serving = await serve(['--policy', folder.policyFile, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...args])
  client = createClient(serving.grpc[0] ?? '')
}
afterEach(async () => {
  client.close()
  serving.signal('SIGKILL')
  await serving.exit
  folder.remove()
})

const ask = () => client.check(checkOf({ path: '/paced', headers: { 'x-api-key': folder.key } }))

async function untilWaiting(count: number): Promise<void> {
  const scrape = async () => (await fetch(`${serving.http}/metrics`)).text()
  await expect.poll(scrape, { interval: 5 }).toMatch(new RegExp(`^tenantgate_waiting_requests ${count}$`, 'm'))
}

describe('SIGTERM while requests are held back', () => {
  it('answers them all, each allowed when its turn comes, and exits 0', async () => {
    await start('rate: 5/s, burst: 1, delay: 1s')
    const asked = [ask(), ask(), ask(), ask()]
    await untilWaiting(3)
    serving.signal('SIGTERM')
    const codes = (await Promise.all(asked)).map(({ status }) => status?.code ?? 0)
    expect(codes).toEqual([0, 0, 0, 0])
    expect(await serving.exit).toBe(0)
    expect(serving.lines.at(-1)).toMatchObject({ msg: 'stopped' })
    expect(serving.output()).not.toContain('fault')
  })

  it('ends the process with the drain, however much longer somebody would have to wait', async () => {
    await start('rate: 1 per 4s, burst: 1, delay: 5s', '--drain-timeout', '100ms')
    await ask()
    const gone = ask().catch(({ code }) => code)
    await untilWaiting(1)
    serving.signal('SIGTERM')
    // its turn comes in four seconds; the process is gone in well under that
    expect(await Promise.race([serving.exit, setTimeout(3000, 'still there', { ref: false })])).toBe(0)
    expect(await gone).toEqual(expect.any(Number))
  })
})
