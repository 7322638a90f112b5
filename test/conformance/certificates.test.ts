/**
 * Client certificates (A4), the same at both gateways: a real Envoy, which ends TLS, and the harness that plays Kong, which hands
 * the shipped guard what nginx would have verified. A real Kong runs the same cases in its own tests.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKongHarness } from '../kong/harness/gateway.ts'
import { socketFolder } from '../support/envoy.ts'
import { policyOf } from '../support/gate.ts'
import { referenceWithTls, startGuardedEnvoy } from '../support/guarded-envoy.ts'
import { ask, type TlsAsk, type Told } from '../support/tls-client.ts'
import { startWitnessedBackends } from './backends.ts'
import { certificateCases, certificatePolicy, checkCase, writeTlsFiles } from './certificate-cases.ts'
import { servePlugins } from './kong-plugins.ts'

interface Gateway {
  send(asked: TlsAsk): Promise<Told>
  stop(): Promise<void>
}

async function startEnvoy(): Promise<Gateway> {
  const folder = socketFolder()
  writeTlsFiles(folder)
  const envoy = await startGuardedEnvoy(certificatePolicy(), referenceWithTls(folder))
  return {
    send: (asked) => ask(envoy.port, asked),
    stop: async () => {
      await envoy.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startKong(): Promise<Gateway> {
  const folder = socketFolder()
  const socket = join(folder, 'plugins.sock')
  const plugins = await servePlugins(policyOf(certificatePolicy()), socket)
  const backends = await startWitnessedBackends()
  const trio = {
    stage: 'gate',
    config: { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true },
  } as const
  let shown: string | undefined
  const kong = await startKongHarness({
    socket,
    upstreams: backends.ports,
    service: 'orders-stable',
    plugins: () => [trio],
    tls: () => shown,
  })
  return {
    send: (asked) => {
      shown = asked.cert
      return ask(kong.port, { ...asked, tls: false })
    },
    stop: async () => {
      await kong.stop()
      await plugins.stop()
      backends.close()
      rmSync(folder, { recursive: true, force: true })
      expect(kong.log).toEqual([])
    },
  }
}

describe.each([
  ['Envoy', startEnvoy],
  ['Kong', startKong],
])('a certificate at %s', (_, start) => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await start()
  })
  afterAll(() => gateway?.stop())

  it.each(certificateCases)('$name', (one) => checkCase(one, gateway.send))
})
