/** `keys rotate`, `revoke` and `list` of a policy file say what to change in it and where, and what they say works. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '../../../cli/keys/keys.ts'
import { tokens } from '../../../cli/keys/tokens.ts'
import { said } from '../../support/command.ts'
import { gateOf, newKey, policyOf } from '../../support/gate.ts'

let folder: string
let file: string
let key: string

/** What the policy names besides is not there: to change its keys takes no secret of it. */
const policyText = (hash: string) => `version: 1
plans: { free: {} }
issuers: [{ issuer: https://id.example, secret: { env: NOT_SET }, audiences: [a], algorithms: [HS256], claims: { tenant: t } }]
tenants:
  acme:
    plan: free
    apiKeys:
    - { id: ci, hash: "${hash}", scopes: [orders:read], roles: [reader], limits: [{ name: builds, quota: 500/day }] }
    - { id: cd, hash: "sha256:${'b'.repeat(64)}", expiresAt: "2026-01-01T00:00:00Z" }
routes: [{ name: all, match: { path: /** }, require: { scopes: [orders:read], roles: [reader] } }]
`

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-keys-'))
  file = join(folder, 'tenantgate.yaml')
  const made = newKey()
  key = made.key
  writeFileSync(file, policyText(made.hash))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = (...argv: string[]) => said(keys, [...argv, '--policy', file])

describe('keys rotate', () => {
  it('says which line gets an end and which line to add; with both, both keys serve with the same rights and limits', async () => {
    const { code, stdout } = await run('rotate', '--tenant', 'acme', '--id', 'ci', '--overlap', '2h')
    expect(code).toBe(0)
    const next = /^key {3}(tg_live_\S+)$/m.exec(stdout)?.[1] ?? ''
    const [, line, end = ''] =
      /^ {2}line (\d+), tenants\.acme\.apiKeys\[0\]: add (expiresAt: "[^"]+")$/m.exec(stdout) ?? []
    const entry = stdout.split('\n').find((text) => text.includes('- { id: ci')) ?? ''
    const lines = readFileSync(file, 'utf8').split('\n')
    const old = lines[Number(line) - 1] ?? ''
    lines.splice(Number(line) - 1, 1, old.replace(/ }$/, `, ${end} }`), entry)
    const gate = gateOf(policyOf(lines.filter((text) => !text.startsWith('issuers')).join('\n')))
    expect(entry).toContain('limits: [{"name":"builds","quota":"500/day"')
    for (const used of [key, next]) {
      expect(await gate.ask({ headers: { 'x-api-key': used } }, Date.now())).toMatchObject({
        decision: 'allow',
        credential: 'ci',
      })
    }
    const later = Date.now() + 2 * 3_600_000
    expect(await gate.ask({ headers: { 'x-api-key': key } }, later)).toMatchObject({ reason: 'expired_credential' })
    expect(await gate.ask({ headers: { 'x-api-key': next } }, later)).toMatchObject({ decision: 'allow' })
  })

  it('leaves alone what ends earlier, and says the lines as JSON for programs', async () => {
    const soon = new Date(Date.now() + 1_800_000).toISOString()
    writeFileSync(file, readFileSync(file, 'utf8').replace('2026-01-01T00:00:00Z', soon))
    const { stdout } = await run('rotate', '--tenant', 'acme', '--id', 'cd', '--overlap', '1h', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ id: 'cd', lines: [], hash: expect.stringMatching(/^sha256:/) })
  })

  it('makes no key that is dead already: one that has expired is rotated to a new end only', async () => {
    const argv = ['rotate', '--tenant', 'acme', '--id', 'cd']
    for (const end of [[], ['--expires-at', '2026-01-02T00:00:00Z']]) {
      const refused = await run(...argv, ...end)
      expect([refused.code, refused.stdout, refused.stderr]).toEqual([1, '', expect.stringContaining('has expired')])
    }
    const { code, stdout } = await run(...argv, '--expires-at', '2099-01-01T00:00:00Z')
    expect([code, stdout]).toEqual([0, expect.stringContaining('expiresAt: "2099-01-01T00:00:00Z"')])
    expect(stdout).not.toContain('line ')
  })

  it('refuses another rotation while the older key serves, unless it is insisted on', async () => {
    const older = `    - { id: ci, hash: "sha256:${'c'.repeat(64)}", expiresAt: "2098-01-01T00:00:00Z" }\nroutes:`
    writeFileSync(file, readFileSync(file, 'utf8').replace('routes:', older))
    const argv = ['rotate', '--tenant', 'acme', '--id', 'ci']
    expect(await run(...argv)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('--again') })
    const { code, stdout } = await run(...argv, '--again')
    expect(code).toBe(0)
    expect(stdout.match(/^ {2}line \d+/gm)).toEqual(['  line 8', '  line 10'])
    expect(stdout).toContain('scopes: ["orders:read"]')
  })
})

it('keys revoke says which lines to end', async () => {
  const { code, stdout } = await run('revoke', '--tenant', 'acme', '--id', 'ci')
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/line 8, tenants\.acme\.apiKeys\[0\]: give it expiresAt: "20\d\d-/),
  ])
})

it('keys list tells every key with its line, and no hash', async () => {
  const { code, stdout } = await run('list')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^tenant +id +line +scopes +roles +endsAt\nacme +ci +8 +orders:read +reader\nacme +cd +9 .*2026-01-01/,
  )
  expect(stdout).not.toMatch(/sha256|[0-9a-f]{64}/)
  expect(JSON.parse((await run('list', '--tenant', 'acme', '--json')).stdout).keys).toHaveLength(2)
})

it.each([
  [['rotate', '--tenant', 'acme', '--id', 'nobody'], 1, "tenant 'acme' has no API key 'nobody'"],
  [['revoke', '--tenant', 'nobody', '--id', 'ci'], 1, "the policy has no tenant 'nobody'"],
  [['list', '--tenant', 'nobody'], 1, "the policy has no tenant 'nobody'"],
  [['rotate', '--tenant', 'acme'], 2, '--id is missing'],
  [['revoke', '--id', 'ci'], 2, '--tenant is missing'],
  [['rotate', '--tenant', 'acme', '--id', 'ci', '--overlap', '1 day'], 2, '--overlap is a time'],
  [['rotate', '--tenant', 'acme', '--id', 'ci', '--overlap', '91d'], 2, 'of 90 days at most'],
  [['rotate', '--tenant', 'acme', '--id', 'ci', '--overlap', '9999999d'], 2, 'of 90 days at most'],
  [['revoke', '--tenant', '../x', '--id', 'ci'], 2, 'is not a tenant id'],
  [['list', '--server', 'http://127.0.0.1:1'], 2, 'not both'],
])('what cannot be is told: %j', async (argv, code, words) => {
  const { code: exit, stdout, stderr } = await run(...argv)
  expect([exit, stdout, stderr]).toEqual([code, '', expect.stringContaining(words)])
})

it('a file that is no policy is told', async () => {
  writeFileSync(file, 'version: 1\n')
  expect((await run('list')).stderr).toContain('`tenantgate validate')
  rmSync(file)
  expect((await run('list')).stderr).toContain('does not exist')
})

describe('--server', () => {
  const token = { TENANTGATE_ADMIN_TOKEN: 't'.repeat(32) }

  it.each([
    'http://gateway.example:9003',
    'https://127.0.0.1:9003',
    'http://u:p@127.0.0.1:9003',
    'unix:admin.sock',
    '127.0.0.1:9003',
  ])('is on this machine, where the token stays: %s', async (server) => {
    const { code, stderr } = await said(keys, ['list', '--server', server], token)
    expect([code, stderr]).toEqual([2, expect.stringContaining('on this machine')])
  })

  it('needs a token, and somebody who listens', async () => {
    const list = ['list', '--server', 'http://127.0.0.1:1']
    expect(await said(keys, list)).toMatchObject({ code: 2, stderr: expect.stringContaining('needs a token') })
    expect(await said(keys, list, token)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('running with --admin?'),
    })
  })

  it.each([
    [['revoke'], 'give one of --jti'],
    [['revoke', '--jti', 'j', '--tenant', 'acme'], 'give one of --jti'],
    [['revoke', '--jti', 'j'], '--server is missing'],
    [['revoke', '--jti', 'j', '--before', '2026-01-01T00:00:00Z'], '--before is for'],
    [['revoke', '--tenant', 'acme', '--issuer', 'i'], '--issuer is for'],
    [['revoke', '--subject', 's', '--before', 'today'], '--before is a time'],
    [['list'], "expected 'revoke'"],
  ])('tokens %j is wrong use', async (argv, words) => {
    expect(await said(tokens, argv, token)).toMatchObject({ code: 2, stderr: expect.stringContaining(words) })
  })
})
