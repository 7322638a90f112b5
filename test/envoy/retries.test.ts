/** Which Checks are tried again: only those that no sidecar can have decided. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Server, ServerCredentials, type sendUnaryData, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Backends, startBackends } from '../../demo/backends.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { loadAuthorization } from '../../ext-authz/service.ts'
import { socketFolder, startEnvoy, type TestEnvoy } from '../support/envoy.ts'
import { allow } from '../support/gateway.ts'

const folder = socketFolder()
const server = new Server()
let answers: (typeof status.UNAVAILABLE | typeof status.INTERNAL | 'allow')[] = []
let asked = 0
let backends: Backends
let envoy: TestEnvoy

beforeAll(async () => {
  server.addService(loadAuthorization(), {
    Check: (_: unknown, answer: sendUnaryData<unknown>) => {
      asked += 1
      const next = answers.shift() ?? 'allow'
      if (next === 'allow') answer(null, allow())
      else answer({ code: next, details: 'no' })
    },
  })
  const sidecarSocket = join(folder, 'gate.sock')
  await new Promise((resolve) => server.bindAsync(`unix:${sidecarSocket}`, ServerCredentials.createInsecure(), resolve))
  backends = await startBackends()
  envoy = await startEnvoy({ sidecarSocket, backends: backends.ports })
})
afterAll(async () => {
  await envoy.stop()
  backends.close()
  server.forceShutdown()
  rmSync(folder, { recursive: true, force: true })
})

async function outcome(...given: typeof answers): Promise<{ status: number; asked: number }> {
  answers = given
  asked = 0
  return { status: (await exchange(envoy.port, { path: '/' })).status, asked }
}

it('a sidecar that says UNAVAILABLE, as it does when it drains, is asked again', async () => {
  expect(await outcome(status.UNAVAILABLE, status.UNAVAILABLE, 'allow')).toEqual({ status: 200, asked: 3 })
})

it('a sidecar that fails in any other way is not', async () => {
  expect(await outcome(status.INTERNAL, 'allow')).toEqual({ status: 503, asked: 1 })
})

it('there is an end to it', async () => {
  expect(await outcome(...Array(9).fill(status.UNAVAILABLE))).toEqual({ status: 503, asked: 4 })
})
