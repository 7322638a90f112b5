/** A policy that is carried in a bundle means what its file means, and a tenant that is read by itself what it means in the file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readBundle } from '../../policy/bundle.ts'
import { dividePolicy } from '../../policy/divide.ts'
import { parsePolicy } from '../../policy/parse.ts'
import { startParsing } from '../../policy/parse-thread.ts'
import { createTenantReader } from '../../policy/stored-tenant.ts'

const folder = mkdtempSync(join(tmpdir(), 'tg-bundle-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FLAGS = JSON.stringify({
  flags: { backend: { state: 'ENABLED', variants: { stable: 'stable', beta: 'beta' }, defaultVariant: 'stable' } },
})
const SECRET = 'a secret that is long enough for HS256'
const POLICY = `
version: 1
identity:
  sources: [apiKey, jwt, clientCertificate]
issuers:
  - { issuer: https://id.example.com, secret: { env: ISSUER_SECRET }, audiences: [orders], algorithms: [HS256], tenants: [acme] }
plans:
  free: { limits: [{ name: burst, rate: 5/s }, { name: daily, quota: 100/day }] }
tenants:
  acme:
    plan: free
    aliases: [org_1]
    hosts: [api.acme.example]
    timezone: Europe/Berlin
    limits: [{ name: daily, unlimited: true }, { name: bytes, quota: 1000/day, unit: content-bytes }]
    apiKeys: [{ id: ci, hash: "sha256:${'a'.repeat(64)}", limits: [{ name: own, rate: 1/s }] }]
    certificates: [{ id: spiffe, uri: "spiffe://acme/ci", limits: [{ name: own, rate: 2/s, unit: tokens }] }]
  globex:
    plan: free
upstreams: [stable, beta]
routes:
  - { name: all, match: { path: /** }, upstream: { default: stable, flag: backend } }
flags: flags.json
`
const ENV = { ISSUER_SECRET: SECRET }

function parsed() {
  const result = parsePolicy(POLICY, { file: 'ops/policy.yaml', env: ENV, readFile: () => ({ text: FLAGS }) })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return { ...result, divided: dividePolicy(POLICY, result.document) }
}

function bundle(change: { text?: string; files?: Record<string, string> } = {}) {
  const { text } = parsed().divided
  return { version: 'v1', source: 'ops/policy.yaml', text, files: { 'flags.json': FLAGS }, ...change }
}

describe('a bundle', () => {
  it('means what the file means, but for the tenants, and keeps the version of the whole', () => {
    const read = readBundle(bundle(), ENV)
    if (read.kind !== 'parsed') throw new Error(JSON.stringify(read))
    expect(read.parts.head).toEqual({ ...parsed().parts.head, version: 'v1' })
    expect(read.parts.tenants).toEqual([])
  })

  it('a secret that is not set here is told at its place in the file that was imported, and not quoted', () => {
    const read = readBundle(bundle(), {})
    expect(read).toMatchObject({
      kind: 'refused',
      problems: [
        {
          file: 'ops/policy.yaml',
          line: 6,
          path: 'issuers[0].secret.env',
          message: 'the environment variable ISSUER_SECRET is not set',
        },
      ],
    })
  })

  it('a file of a secret is read on this machine', () => {
    const path = join(folder, 'secret')
    writeFileSync(path, `${SECRET}\n`)
    const text = bundle().text.replace('env: ISSUER_SECRET', `file: ${path}`)
    const read = readBundle(bundle({ text }), {})
    if (read.kind !== 'parsed') throw new Error(JSON.stringify(read))
    expect(read.parts.head.issuers[0]?.keys).toEqual({ kind: 'secret', secret: SECRET })
  })

  it('a file that it should carry and does not is a problem', () => {
    expect(readBundle(bundle({ files: {} }), ENV)).toMatchObject({ kind: 'refused', problems: [{ path: 'flags' }] })
  })

  it('is parsed off the serving thread, with the limits of its plans', async () => {
    const { result } = startParsing({ file: 'ops/policy.yaml', env: ENV, known: undefined, bundle: bundle() })
    const read = await result
    if (read.kind !== 'parsed') throw new Error(JSON.stringify(read))
    expect(read.policy.version).toBe('v1')
    expect(read.plans).toEqual(parsed().parts.head.plans)
    expect(Object.isFrozen(read.plans.get('free'))).toBe(true)
  })
})

describe('a tenant that is read by itself', () => {
  it('is what the file makes of it, frozen, and tells which units it counts', () => {
    const { parts, divided } = parsed()
    const units = new Set<string>()
    const read = createTenantReader(parts.head.plans, units)
    for (const { tenant, hosts } of parts.tenants) {
      const text = divided.tenants.get(tenant.id)
      const made = text && read(tenant.id, text)
      const limits = tenant.limits ?? parts.head.plans.get('free')
      expect(made).toEqual({ tenant: { ...tenant, limits }, hosts })
      expect(typeof made === 'object' && Object.isFrozen(made.tenant)).toBe(true)
    }
    expect([...units].sort()).toEqual(['content-bytes', 'tokens'])
  })

  it('is read also with more rights than a policy may give a certificate, as an older version took them', () => {
    const roles = Array.from({ length: 300 }, (_, index) => `r${index}`)
    const entry = { plan: 'free', certificates: [{ id: 'batch', dns: 'batch.acme.example', roles, scopes: roles }] }
    const made = createTenantReader(parsed().parts.head.plans, new Set())('acme', { entry })
    expect(made).toMatchObject({ tenant: { id: 'acme' } })
  })

  it.each([
    ['a plan that is not there', { plan: 'gold' }, 'has a plan that the policy does not have'],
    [
      'a key of a newer version',
      { plan: 'free', colour: 'red' },
      'is not understood; another version may have written it',
    ],
    [
      'a value that cannot be',
      { plan: 'free', status: 'gone' },
      'is not understood at status; another version may have written it',
    ],
  ])('%s makes it unreadable: it would have other limits than it should', (_, entry, words) => {
    expect(createTenantReader(parsed().parts.head.plans, new Set())('acme', { entry })).toBe(words)
  })

  it('limits of a key that are not understood make it unreadable', () => {
    const read = createTenantReader(parsed().parts.head.plans, new Set())
    expect(read('acme', { entry: { plan: 'free' }, credentialLimits: { ci: [{ name: 'own' }] } })).toMatch(
      /^is not understood at ci/,
    )
  })
})
