/** What the first service writes fits what docker-compose.yml says, and both gateways take it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { COMPOSE, composeBanner, composeEnvoyConfig, composeKongYaml, writeComposeFiles } from '../../demo/compose.ts'
import { createCredentials } from '../../demo/credentials.ts'
import { loadPolicy } from '../../policy/load.ts'
import { usedEnvoy } from '../support/envoy.ts'
import { instructionOf, lineageOf, readCompose } from './images.ts'

const { services } = readCompose()
const folder = mkdtempSync(join(tmpdir(), 'tg-setup-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('a real Envoy accepts the configuration', async () => {
  const { command, prefix } = await usedEnvoy()
  const file = join(folder, 'check.json')
  writeFileSync(file, composeEnvoyConfig())
  const checked = promisify(execFile)(command, [...prefix, '--mode', 'validate', '-c', file])
  await expect(checked).resolves.toMatchObject({ stdout: expect.stringContaining('OK') })
})

it('no address of another machine or of the loopback interface is left in either', () => {
  expect(composeEnvoyConfig()).not.toContain('127.0.0.1')
  expect(composeKongYaml()).not.toContain('127.0.0.1')
})

it('addresses and sockets are those of docker-compose.yml', () => {
  const { backends, sidecar, envoy, kong } = services
  expect(Object.keys(services)).toContain(COMPOSE.backends)
  expect(backends?.command?.at(-1)).toBe(String(COMPOSE.firstBackendPort))
  expect(envoy?.ports).toEqual([`127.0.0.1:${COMPOSE.envoyPort}:${COMPOSE.envoyPort}`])
  expect(kong?.ports).toEqual([`127.0.0.1:${COMPOSE.kongPort}:${COMPOSE.kongPort}`])
  expect(kong?.environment?.KONG_PROXY_LISTEN).toContain(`0.0.0.0:${COMPOSE.kongPort}`)
  const environment = instructionOf(lineageOf(sidecar ?? {}), 'ENV')
  expect(environment).toContain(`TENANTGATE_LISTEN=unix:${COMPOSE.sidecarSocket}`)
  for (const service of [sidecar, envoy]) expect(service?.volumes).toContain('sockets:/run/tenantgate')
})

it('the backends of kong.yml are the ports that the backends listen on, in their order', () => {
  const { upstreams }: { upstreams: { name: string; targets: { target: string }[] }[] } = parse(composeKongYaml())
  expect(upstreams.map(({ name, targets }) => [name, targets.map(({ target }) => target)])).toEqual([
    ['orders-stable', ['backends:9101']],
    ['orders-beta', ['backends:9102']],
    ['orders-canary', ['backends:9103']],
  ])
})

it('the policy is one, with fresh keys; the group may read it and nobody else', async () => {
  const credentials = await createCredentials()
  writeComposeFiles(folder, credentials)
  const store = { kind: 'single', nodes: [{ host: COMPOSE.redis, port: 6379 }] }
  expect(loadPolicy(join(folder, 'tenantgate.yaml'), {})).toMatchObject({ ok: true, policy: { state: { store } } })
  expect(services[COMPOSE.redis]?.networks).toEqual(['state'])
  for (const file of ['tenantgate.yaml', 'kong.yml', 'envoy.json']) {
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o640)
  }
  expect(readFileSync(join(folder, 'tenantgate.yaml'), 'utf8')).not.toContain(credentials.keys.acme)
})

it('credentials are told with a line for each gateway', async () => {
  const credentials = await createCredentials()
  const told = composeBanner(credentials)
  for (const port of [COMPOSE.envoyPort, COMPOSE.kongPort]) {
    expect(told).toContain(`curl -i -H 'x-api-key: ${credentials.keys.acme}' 'http://127.0.0.1:${port}/v1/orders/42'`)
  }
})
