/** docker-compose.yml keeps to the compose specification, and its services to what a container of ours must be. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DCLinter } from 'dclint'
import { describe, expect, it } from 'vitest'
import { OLDEST_ENVOY } from '../../demo/find-envoy.ts'
import { packageRoot } from '../../package-root.ts'
import { composeFile, instructionOf, lineageOf, readCompose } from './images.ts'

const text = readFileSync(composeFile, 'utf8')
const { services, volumes, networks } = readCompose()
const names = Object.keys(services)
const serviceOf = (name: string) => services[name] ?? {}

/** Services that others wait for until they have ended. */
const oneShots = new Set(
  Object.values(services).flatMap(({ depends_on: needs = {} }) =>
    Object.keys(needs).filter((name) => needs[name]?.condition === 'service_completed_successfully'),
  ),
)

/** As much of dclint's result as is read; its own declarations are not resolved under this module system. */
interface LintResult {
  readonly messages: readonly { readonly type: string; readonly message: string }[]
}

/** What is wrong with a compose file, by the specification's schema. */
function faultsOf(yaml: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'tg-compose-'))
  const file = join(folder, 'docker-compose.yml')
  try {
    writeFileSync(file, yaml)
    const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] })
    const [result]: readonly LintResult[] = linter.lintFiles([file], false)
    if (result === undefined) return ['not read as a compose file']
    return result.messages.filter(({ type }) => type === 'error').map(({ message }) => message)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('docker-compose.yml against the compose specification', () => {
  it('has no fault', () => expect(faultsOf(text)).toEqual([]))

  it.each([
    ['a misspelled key of a service', 'depends_on:', 'depend_on:'],
    ['a misspelled key of the whole file', '\nvolumes:\n', '\nvolume:\n'],
    ['a misspelled key of a health check', 'interval: 5s', 'intervall: 5s'],
    ['a value of the wrong type', 'read_only: true', 'read_only: [true]'],
  ])('%s is found', (_, right, wrong) => {
    expect(text).toContain(right)
    expect(faultsOf(text.replace(right, wrong))).not.toEqual([])
  })
})

describe('each service', () => {
  it.each(names)('%s is pinned to a version', (name) => {
    const { image = '', build } = serviceOf(name)
    expect(image).toMatch(/^[a-z0-9/.-]+:v?\d+\.\d+\.\d+(-[a-z0-9.]+)?$/)
    // one that is built here is never fetched under its name
    if (build !== undefined) expect(services[name]).toMatchObject({ pull_policy: 'build' })
  })

  it.each(names)('%s is not root, and can change nothing but what is given to it', (name) => {
    const service = serviceOf(name)
    expect(service.user).toMatch(/^(?!0|root)[a-z0-9]+(:(?!0)\d+)?$/)
    const hardened = { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }
    expect(service).toMatchObject({ ...hardened, mem_limit: expect.any(String), pids_limit: expect.any(Number) })
    expect(service).not.toHaveProperty('privileged')
    expect(service).not.toHaveProperty('cap_add')
  })

  it.each(names)('%s has a health check, unless it ends by itself', (name) => {
    const service = serviceOf(name)
    const ofImage = instructionOf(lineageOf(service), 'HEALTHCHECK')
    const checked = service.healthcheck !== undefined || ofImage !== undefined
    expect(checked).toBe(!oneShots.has(name))
  })

  it.each(names)('%s is published on the loopback interface only, and on networks and volumes that exist', (name) => {
    const service = serviceOf(name)
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    for (const network of service.networks ?? []) expect(networks).toHaveProperty(network)
    for (const volume of service.volumes ?? []) expect(volumes).toHaveProperty(volume.split(':', 1))
    expect(service.networks === undefined).toBe(service.network_mode === 'none')
  })

  it.each(names)('%s runs files that are there, and waits for services that are there', (name) => {
    const { command = [], build, depends_on: needs = {} } = serviceOf(name)
    for (const word of command.filter((each) => each.startsWith('dist/'))) {
      expect(existsSync(join(packageRoot, word.replace(/^dist\/(.*)\.js$/, '$1.ts')))).toBe(true)
    }
    if (build) expect(existsSync(join(packageRoot, build.context, build.dockerfile ?? 'Dockerfile'))).toBe(true)
    for (const [needed, { condition }] of Object.entries(needs)) {
      expect(names).toContain(needed)
      expect(condition).toBe(oneShots.has(needed) ? 'service_completed_successfully' : 'service_healthy')
    }
  })
})

it('backends can be reached from the gateways only, and reach nothing outside', () => {
  expect(serviceOf('backends').networks).toEqual(['inside'])
  expect(networks).toMatchObject({ inside: { internal: true } })
  const inside = names.filter((name) => serviceOf(name).networks?.includes('inside'))
  expect(inside.sort()).toEqual(['backends', 'envoy', 'kong'])
})

it('Redis can be reached by those who share it alone, keeps what it was told, and refuses rather than forgets', () => {
  const { ports, networks: own, command = [] } = serviceOf('redis')
  expect([ports, own]).toEqual([undefined, ['state']])
  expect(networks).toMatchObject({ state: { internal: true } })
  const sharing = names.filter((name) => serviceOf(name).networks?.includes('state'))
  expect(sharing.sort()).toEqual(['kong', 'redis', 'sidecar'])
  const settings = Object.fromEntries(command.slice(1).flatMap((word, i, all) => (i % 2 ? [[all[i - 1], word]] : [])))
  expect(settings).toMatchObject({ '--maxmemory-policy': 'noeviction', '--appendonly': 'yes' })
})

it('Envoy is one that the reference configuration is for', () => {
  const [, major = 0, minor = 0] = (/:v(\d+)\.(\d+)\./.exec(serviceOf('envoy').image ?? '') ?? []).map(Number)
  expect([major > OLDEST_ENVOY[0] || minor >= OLDEST_ENVOY[1]]).toEqual([true])
})

it('holds no secret', () => {
  expect(text).not.toMatch(/tg_[a-z]+_|password|secret:|token:/i)
})
