/** Envoy on a port that somebody else takes between our look and its start. */
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../../demo/free-port.ts'
import { createLeash } from '../../demo/leash.ts'
import { runEnvoy } from '../../demo/run-envoy.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { socketFolder, usedEnvoy } from '../support/envoy.ts'

const NO_BACKENDS = { 'orders-stable': 1, 'orders-beta': 1, 'orders-canary': 1 }

it('another server that says 200 there is not taken for it; it serves on a port of its own', async () => {
  const folder = socketFolder()
  const leash = createLeash(folder)
  const port = await freePort()
  const stranger = createServer((_, response) => response.end('stranger'))
  const go = join(folder, 'go')
  const onLine = (line: string) => {
    if (line === 'launched') stranger.listen(port, '127.0.0.1', () => writeFileSync(go, ''))
  }
  try {
    const envoy = await startedAfter(go)
    const running = await runEnvoy({ envoy, leash, folder, port, sidecarSocket: go, backends: NO_BACKENDS, onLine })
    expect(running.port).not.toBe(port)
    expect(await exchange(running.port, { path: '/gateway/healthz' })).toMatchObject({ status: 200, body: '' })
    await running.child.stop()
  } finally {
    stranger.close()
    await leash.release()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** An Envoy that says `launched` the first time, and begins once the file is there. */
async function startedAfter(file: string) {
  const { command, prefix, version, origin } = await usedEnvoy()
  const wait = `[ -e '${file}' ] || echo launched; until [ -e '${file}' ]; do sleep 0.02; done; exec "$@"`
  return { command: '/bin/sh', prefix: ['-c', wait, 'sh', command, ...prefix], version, origin }
}
