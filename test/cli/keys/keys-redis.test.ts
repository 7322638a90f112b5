/** `keys` and `tokens` in a Redis, without any service: what they record holds for all instances, and is told as a service tells it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '../../../cli/keys/keys.ts'
import { tokens } from '../../../cli/keys/tokens.ts'
import { tenants } from '../../../cli/tenants/tenants.ts'
import { storedHash } from '../../../core/credentials/api-key.ts'
import { commonKey } from '../../../stores/redis/directory/keyspace.ts'
import { readIssued } from '../../../stores/redis/directory/stored.ts'
import { said } from '../../support/command.ts'
import { emptied, openTestRedis, type TestRedis } from '../../support/test-redis.ts'

let redis: TestRedis
let folder: string
let url: string

const POLICY = `version: 1
identity: { sources: [apiKey, jwt, clientCertificate] }
plans: { free: {} }
tenants:
  acme:
    plan: free
    aliases: [acme-old]
    certificates: [{ id: batch, dns: batch.acme.example }]
    apiKeys: [{ id: ci, hash: "sha256:${'a'.repeat(64)}", scopes: [read] }]
  globex: { plan: free }
issuers:
  - { issuer: https://id.example, secret: { env: SECRET }, audiences: [a], algorithms: [HS256], clockSkew: 2m, claims: { tenant: t } }
routes: [{ name: all, match: { path: /** } }]
`

beforeAll(async () => {
  redis = await openTestRedis()
  folder = mkdtempSync(join(tmpdir(), 'tg-keys-redis-'))
  url = `${redis.server.url}?prefix=${redis.server.place.prefix}`
  writeFileSync(join(folder, 'tenantgate.yaml'), POLICY)
})
afterAll(async () => {
  await redis.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  await emptied(redis.connection)
  const argv = ['import', join(folder, 'tenantgate.yaml'), '--redis', url]
  const imported = await said(tenants, argv, { SECRET: 'k'.repeat(64) })
  expect(imported.code).toBe(0)
})

const run = (...argv: string[]) => said(keys, [...argv, '--redis', url])
const revoke = (...argv: string[]) => said(tokens, ['revoke', ...argv, '--redis', url])
const records = () => redis.connection.client.lrange(commonKey(redis.server.place.prefix, 'records'), 0, -1)
const issued = () => redis.connection.client.hgetall(commonKey(redis.server.place.prefix, 'issued'))

describe('keys', () => {
  it('create records the hash of a key that it tells once', async () => {
    const { code, stdout } = await run('create', '--tenant', 'acme', '--id', 'cd', '--scopes', 'read', '--json')
    const told = JSON.parse(stdout)
    expect([code, told]).toMatchObject([0, { tenant: 'acme', id: 'cd', durable: true }])
    const all = await issued()
    expect(Object.keys(all)).toEqual([storedHash(told.key).slice('sha256:'.length)])
    expect(JSON.stringify(all)).not.toContain(told.key)
    expect(readIssued(Object.values(all)[0] ?? '')).toMatchObject({
      ok: true,
      value: { tenant: 'acme', id: 'cd', scopes: ['read'] },
    })
  })

  it('rotate lets both serve for a while, of a key of the policy too; revoke ends all of that id', async () => {
    const rotated = await run('rotate', '--tenant', 'acme', '--id', 'ci', '--overlap', '2h')
    expect(rotated.stdout).toMatch(/'ci' of acme: the old key serves until \S+Z/)
    expect((await run('rotate', '--tenant', 'acme', '--id', 'ci')).stderr).toMatch(
      /; --again rotates all the same\. \(rotation_under_way\)/,
    )
    expect((await run('rotate', '--tenant', 'acme', '--id', 'ci', '--again')).code).toBe(0)
    const listed = await run('list', '--tenant', 'acme')
    expect(listed.stdout).toMatch(/acme +ci +policy +valid.*\nacme +ci +issued +valid.*\nacme +ci +issued +valid/)
    expect((await run('revoke', '--tenant', 'acme', '--id', 'ci')).stdout).toContain('is revoked')
    const states = JSON.parse((await run('list', '--json')).stdout).keys.map(({ state }: { state: string }) => state)
    expect(states).toEqual(['revoked', 'revoked', 'revoked'])
    expect((await run('create', '--tenant', 'acme', '--id', 'ci')).stderr).toContain('(credential_revoked)')
  })

  it('are listed by tenant and id', async () => {
    for (const id of ['z', 'm', 'a']) await run('create', '--tenant', 'globex', '--id', id)
    await run('create', '--tenant', 'acme', '--id', 'b')
    const { keys } = JSON.parse((await run('list', '--json')).stdout) as { keys: { tenant: string; id: string }[] }
    expect(keys.map(({ tenant, id }) => `${tenant} ${id}`)).toEqual([
      ...['acme b', 'acme ci'],
      ...['globex a', 'globex m', 'globex z'],
    ])
  })

  it('two at once who want one id: one gets it', async () => {
    const all = await Promise.all([1, 2, 3].map(() => run('create', '--tenant', 'acme', '--id', 'same')))
    expect(all.map(({ code }) => code).sort()).toEqual([0, 1, 1])
    expect(Object.keys(await issued())).toHaveLength(1)
  })

  it('survive the import of another policy', async () => {
    await run('create', '--tenant', 'globex', '--id', 'cd')
    const other = join(folder, 'other.yaml')
    writeFileSync(other, POLICY.replace('globex: { plan: free }', 'globex: { plan: free, status: suspended }'))
    await said(tenants, ['import', other, '--redis', url], { SECRET: 'k'.repeat(64) })
    expect((await run('list', '--tenant', 'globex')).stdout).toMatch(/globex +cd +issued +valid/)
  })

  it.each([
    [['create', '--tenant', 'nobody'], /no tenant 'nobody'.*\(unknown_tenant\)/],
    [['create', '--tenant', 'acme', '--id', 'ci'], /\(id_taken\)/],
    [['create', '--tenant', 'acme', '--id', 'batch'], /\(id_taken\)/],
    [['rotate', '--tenant', 'acme', '--id', 'none'], /\(unknown_credential\)/],
    [['revoke', '--tenant', 'globex', '--id', 'ci'], /\(unknown_credential\)/],
    [['list', '--tenant', 'nobody'], /\(unknown_tenant\)/],
  ])('refused: %j', async (argv, words) => {
    const { code, stdout, stderr } = await run(...argv)
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)])
    expect([await issued(), await records()]).toEqual([{}, []])
  })

  it('are those of a policy in Redis too where that is what --policy names; of two places none is guessed', async () => {
    const { code, stdout } = await said(keys, ['list', '--policy', url])
    expect([code, stdout]).toEqual([0, expect.stringContaining('ci')])
    const both = await said(keys, ['list', '--policy', 'x', '--redis', url])
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('not both')])
    const fromEnvironment = await said(keys, ['list'], { TENANTGATE_REDIS: url })
    expect(fromEnvironment.stdout).toBe(stdout)
  })
})

describe('tokens revoke', () => {
  it('records what is refused from now on, by clocks that are ahead too', async () => {
    expect((await revoke('--jti', 'j1', '--issuer', 'https://id.example')).stdout).toBe('revoked\n')
    const before = Date.now()
    const tenant = JSON.parse((await revoke('--tenant', 'acme', '--json')).stdout)
    expect(Date.parse(tenant.before)).toBeGreaterThan(before + 119_000)
    await revoke('--subject', 'bob', '--before', '2026-01-01T00:00:00Z')
    expect((await records()).map((line) => JSON.parse(line))).toMatchObject([
      { kind: 'revoked-token', issuer: 'https://id.example', jti: 'j1' },
      { kind: 'revoked-tenant', tenant: 'acme' },
      { kind: 'revoked-subject', subject: 'bob', before: '2026-01-01T00:00:00.000Z' },
    ])
  })

  it('refuses an issuer or a tenant that the policy does not have', async () => {
    expect((await revoke('--jti', 'j', '--issuer', 'https://no.example')).stderr).toContain('(unknown_issuer)')
    expect((await revoke('--tenant', 'nobody')).stderr).toContain('(unknown_tenant)')
    expect(await records()).toEqual([])
  })
})

describe('changes in Redis', () => {
  it('are audited, done or refused, without the key and its hash', async () => {
    const audit = join(folder, 'audit.log')
    const { stdout } = await run('create', '--tenant', 'acme', '--id', 'new', '--json', '--audit', audit)
    await run('create', '--tenant', 'acme', '--id', 'new', '--audit', audit)
    await run('revoke', '--tenant', 'acme', '--id', 'new', '--audit', audit)
    await revoke('--jti', 'j1', '--audit', audit)
    await run('list', '--audit', audit)
    const text = readFileSync(audit, 'utf8')
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { action: 'key_issued', outcome: 'done', tenant: 'acme', id: 'new' },
      { action: 'key_issued', outcome: 'refused', reason: 'id_taken', id: 'new' },
      { action: 'key_revoked', outcome: 'done', tenant: 'acme', id: 'new' },
      { action: 'revoked', outcome: 'done', kind: 'token', jti: 'j1' },
    ])
    const { key } = JSON.parse(stdout)
    expect([text.includes(key), text.includes(storedHash(key).slice(7))]).toEqual([false, false])
    const unaudited = await run('create', '--tenant', 'acme', '--audit', '/no/such/file')
    expect([unaudited.code, Object.keys(await issued()).length]).toEqual([1, 1])
  })

  it('need a policy there, and are not half done by a Redis that takes no writes', async () => {
    const own = await openTestRedis({ own: true })
    const at = `redis://127.0.0.1:${own.server.port}`
    const create = () => said(keys, ['create', '--tenant', 'acme', '--redis', at])
    expect((await create()).stderr).toMatch(
      /ask one of them: `--server URL`.*`tenantgate tenants import FILE --redis URL`/,
    )
    await said(tenants, ['import', join(folder, 'tenantgate.yaml'), '--redis', at], { SECRET: 'k'.repeat(64) })
    await own.connection.client.call('config', 'set', 'maxmemory', '1')
    const full = await create()
    expect([full.code, full.stdout, full.stderr]).toEqual([1, '', expect.stringMatching(/has no memory left/)])
    await own.connection.client.call('config', 'set', 'maxmemory', '0')
    expect(await own.connection.client.keys('*issued*')).toEqual([])
    await own.close()
  })
})
