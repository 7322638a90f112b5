/** Administration of running services, by the command line: what is revoked is refused at the next request, and stays so. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REQUEST_KEY } from '../../../kong/handover.ts'
import { checkOf, createClient } from '../../ext-authz/client.ts'
import { createKongRpc } from '../../kong/harness/pb-client.ts'
import {
  createFolder,
  type Ended,
  type Folder,
  policyText,
  run,
  type Serving,
  serve,
  startService,
} from '../serving.ts'

const TOKEN = randomBytes(32).toString('hex')
const ENV = { TENANTGATE_ADMIN_TOKEN: TOKEN }

let folder: Folder
let stateFile: string
const running: Serving[] = []

beforeEach(() => {
  folder = createFolder()
  stateFile = join(folder.path, 'state.jsonl')
  writeFileSync(stateFile, '')
})

afterEach(async () => {
  for (const serving of running.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  folder.remove()
})

/** Far more than it takes: a record that is taken out counts after a second. */
const SOON = { timeout: 15_000 }

const GATEWAY = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0']

async function start(...more: string[]): Promise<{ serving: Serving; url: string }> {
  const serving = await serve(['--policy', folder.policyFile, ...GATEWAY, '--admin', '127.0.0.1:0', ...more], ENV)
  running.push(serving)
  const { admin } = await serving.line('listening')
  return { serving, url: `http://${admin}` }
}

/** The code of the refusal, or `allowed`. */
async function use({ grpc }: Serving, credential: string, header = 'x-api-key'): Promise<string> {
  const value = header === 'authorization' ? `Bearer ${credential}` : credential
  const client = createClient(grpc[0] ?? '')
  try {
    const { deniedResponse } = await client.check(checkOf({ headers: { [header]: value } }))
    return deniedResponse ? JSON.parse(deniedResponse.body).code : 'allowed'
  } finally {
    client.close()
  }
}

const admin = (...argv: string[]): Promise<Ended> => run(argv, ENV)
const ci = ['--tenant', 'acme', '--id', 'ci']

describe('serve', () => {
  it('refuses a key at the next request after `keys revoke`, and after a restart', async () => {
    const { serving, url } = await start('--state', stateFile, '--audit', join(folder.path, 'audit.jsonl'))
    expect(await use(serving, folder.key)).toBe('allowed')
    expect(await admin('keys', 'revoke', ...ci, '--server', url)).toMatchObject({ code: 0, stderr: '' })
    expect(await use(serving, folder.key)).toBe('revoked_credential')
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    const audit = readFileSync(join(folder.path, 'audit.jsonl'), 'utf8').trim().split('\n')
    expect(audit.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'administration', action: 'key_revoked', outcome: 'done', tenant: 'acme', id: 'ci' },
      { event: 'authentication_refused', reason: 'revoked_credential', path: '/v1/orders/1' },
    ])
    const told = `${serving.output()}${audit}${readFileSync(stateFile, 'utf8')}`
    for (const secret of [TOKEN, folder.key]) expect(told).not.toContain(secret)
    const again = await start('--state', stateFile)
    expect(await use(again.serving, folder.key)).toBe('revoked_credential')
  })

  it('serves both keys after `keys rotate`, lists them, and issues others; neither is ever told again', async () => {
    const { serving, url } = await start('--state', stateFile)
    const rotated = await admin('keys', 'rotate', ...ci, '--overlap', '1h', '--server', url, '--json')
    const { key } = JSON.parse(rotated.stdout)
    const issued = await admin(
      'keys',
      'create',
      '--tenant',
      'acme',
      '--id',
      'new',
      '--scopes',
      'orders:read',
      '--server',
      url,
    )
    expect(issued.stdout).toContain("issued as 'new' of acme")
    const other = /^key {3}(tg_live_\S+)$/m.exec(issued.stdout)?.[1] ?? ''
    for (const used of [folder.key, key, other]) expect(await use(serving, used)).toBe('allowed')
    const listed = JSON.parse((await admin('keys', 'list', '--tenant', 'acme', '--server', url, '--json')).stdout)
    expect(listed.keys).toMatchObject([
      { id: 'ci', from: 'policy', state: 'valid', endsAt: expect.any(String), lastUsed: expect.any(String) },
      { id: 'ci', from: 'issued', state: 'valid' },
      { id: 'new', from: 'issued', scopes: ['orders:read'] },
    ])
    const table = await admin('keys', 'list', '--server', url)
    expect(table.stdout.split('\n')[0]).toMatch(/^tenant +id +from +state/)
    const told = `${serving.output()}${table.stdout}${readFileSync(stateFile, 'utf8')}`
    for (const secret of [key, other]) expect(told).not.toContain(secret)
  })

  it('takes revocations of tokens, tells of what it does not know, and keeps without a state file what it says', async () => {
    const { serving, url } = await start()
    const revoke = (...argv: string[]) => admin('tokens', 'revoke', '--server', url, ...argv)
    expect(await revoke('--jti', 'j1')).toMatchObject({ code: 0, stdout: expect.stringContaining('memory alone') })
    expect(await revoke('--subject', 's1', '--before', '2026-01-01T00:00:00Z')).toMatchObject({ code: 0 })
    expect(await revoke('--tenant', 'acme', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"durable":false'),
    })
    expect(await revoke('--tenant', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('unknown_tenant'),
    })
    expect(await revoke('--jti', 'j1', '--issuer', 'https://nobody.example')).toMatchObject({ code: 1 })
    const wrong = await run(['tokens', 'revoke', '--server', url, '--jti', 'j'], {
      TENANTGATE_ADMIN_TOKEN: 'x'.repeat(32),
    })
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('invalid_token') })
    expect(serving.lines.filter(({ msg }) => msg === 'administration').map(({ outcome }) => outcome)).toEqual([
      'done',
      'done',
      'done',
      'refused',
      'refused',
      'refused',
    ])
  })

  it('refuses a token that it has verified before, once its id, its subject or its tenant is revoked', async () => {
    const secret = randomBytes(32).toString('hex')
    writeFileSync(join(folder.path, 'secret'), secret)
    const issuer = 'https://id.example'
    folder.writePolicy(
      `${policyText(folder.key)}issuers: [{ issuer: "${issuer}", secret: { file: secret }, audiences: [a], algorithms: [HS256], claims: { tenant: org, scopes: scope } }]\n`,
    )
    const { serving, url } = await start()
    const tokenOf = (jti: string, sub: string, secondsAgo: number) =>
      new SignJWT({ org: 'acme', scope: 'orders:read', jti, sub })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(issuer)
        .setAudience('a')
        .setIssuedAt(Math.floor(Date.now() / 1000) - secondsAgo)
        .setExpirationTime('1h')
        .sign(Buffer.from(secret))
    const [one, other, third] = [
      await tokenOf('j1', 's1', 60),
      await tokenOf('j2', 's1', 60),
      await tokenOf('j3', 's2', 60),
    ]
    const reasons = () => Promise.all([one, other, third].map((token) => use(serving, token, 'authorization')))
    expect(await reasons()).toEqual(['allowed', 'allowed', 'allowed'])
    await admin('tokens', 'revoke', '--server', url, '--jti', 'j1')
    expect(await reasons()).toEqual(['revoked_credential', 'allowed', 'allowed'])
    await admin('tokens', 'revoke', '--server', url, '--subject', 's1', '--issuer', issuer)
    expect(await reasons()).toEqual(['revoked_credential', 'revoked_credential', 'allowed'])
    const early = new Date(Date.now() - 120_000).toISOString()
    await admin('tokens', 'revoke', '--server', url, '--tenant', 'acme', '--before', early)
    expect(await use(serving, third, 'authorization')).toBe('allowed')
    await admin('tokens', 'revoke', '--server', url, '--tenant', 'acme')
    expect(await use(serving, third, 'authorization')).toBe('revoked_credential')
    expect(await use(serving, folder.key)).toBe('allowed')
  })

  it('and another on one state file see what either records, and what people write into it', async () => {
    const [one, other] = [await start('--state', stateFile), await start('--state', stateFile)]
    await admin('keys', 'revoke', ...ci, '--server', one.url)
    await expect.poll(() => use(other.serving, folder.key), SOON).toBe('revoked_credential')
    const whole = readFileSync(stateFile, 'utf8')
    writeFileSync(stateFile, '')
    for (const { serving } of [one, other]) {
      const { problem } = await serving.line('state file rejected, what was known holds')
      expect(problem).toContain('has no record any more, and lacks 1 of 1 records')
      expect(await use(serving, folder.key)).toBe('revoked_credential')
    }
    writeFileSync(stateFile, whole)
    for (const { serving } of [one, other]) {
      const metrics = async () => (await fetch(`${serving.http}/metrics`)).text()
      await expect.poll(metrics, SOON).toMatch(/^tenantgate_state_last_read_successful 1$/m)
    }
    writeFileSync(`${stateFile}.new`, '{"kind":"revoked-token","jti":"j"}\n')
    renameSync(`${stateFile}.new`, stateFile)
    for (const { serving } of [one, other]) {
      const lost = 'the state file has lost records, what they refused is refused no longer'
      expect(await serving.line(lost)).toMatchObject({ level: 'error', lost: 1, before: 1, after: 1 })
      await expect.poll(() => use(serving, folder.key), SOON).toBe('allowed')
    }
    writeFileSync(stateFile, 'nonsense\n{"kind":"revoked-credential","tenant":"acme","id":"ci"}\n')
    for (const { serving } of [one, other]) {
      const rejected = 'state file rejected, what was known holds'
      await expect.poll(() => serving.lines.filter(({ msg }) => msg === rejected).length, SOON).toBe(2)
      expect(await use(serving, folder.key)).toBe('allowed')
      const metrics = await (await fetch(`${serving.http}/metrics`)).text()
      expect(metrics).toMatch(/^tenantgate_state_records_lost_total 1$/m)
      expect(metrics).toMatch(/^tenantgate_state_last_read_successful 0$/m)
    }
  })

  it('warns of records whose tenant the policy does not know, at start and when a policy has dropped the alias', async () => {
    writeFileSync(stateFile, '{"kind":"revoked-tenant","tenant":"acme","before":"2026-11-22T12:00:00Z"}\n')
    const { serving } = await start('--state', stateFile)
    const renamed = (alias: string) => policyText(folder.key).replace('  acme:', `  zenith:\n    aliases: [${alias}]`)
    folder.writePolicy(renamed('acme'))
    await serving.line('policy reloaded')
    const warning = /tenants that the policy does not know/
    expect(serving.output()).not.toMatch(warning)
    folder.writePolicy(renamed('other'))
    await expect.poll(() => serving.output(), SOON).toMatch(warning)
    const told = ({ lines }: Serving) => lines.find(({ msg }) => warning.test(msg))
    expect(told(serving)).toMatchObject({ level: 'warn', tenants: ['acme'], count: 1 })
    const again = await start('--state', stateFile)
    expect(told(again.serving)).toMatchObject({ tenants: ['acme'], count: 1 })
  })

  it('goes on deciding when the disk of its audit is full, and counts what is lost; SIGHUP opens the file anew', async () => {
    const { serving } = await start('--audit', '/dev/full')
    for (let i = 0; i < 5; i++) expect(await use(serving, 'nobody')).toBe('invalid_credential')
    const metrics = async () => (await fetch(`${serving.http}/metrics`)).text()
    await expect.poll(metrics, SOON).toMatch(/^tenantgate_audit_lines_lost_total 5$/m)
    expect(await serving.line('the audit cannot be written, its lines are lost')).toMatchObject({ code: 'ENOSPC' })
    const file = join(folder.path, 'audit.jsonl')
    const rotated = await start('--audit', file)
    renameSync(file, `${file}.1`)
    rotated.serving.signal('SIGHUP')
    await expect.poll(() => existsSync(file), SOON).toBe(true)
    expect(await use(rotated.serving, 'nobody')).toBe('invalid_credential')
    await expect.poll(() => readFileSync(file, 'utf8'), SOON).toContain('"event":"authentication_refused"')
  })

  it('writes the audit between the lines of its log where that is asked', async () => {
    const { serving } = await start('--audit', 'stdout')
    await use(serving, 'nobody')
    const lines = () => serving.lines as readonly Record<string, unknown>[]
    await expect
      .poll(() => lines().find(({ event }) => event === 'authentication_refused'), SOON)
      .toMatchObject({ path: '/v1/orders/1' })
    expect(lines().some(({ msg }) => msg === 'decision')).toBe(true)
  })

  it.each([
    [['--state', '/no/such/file'], 1, 'install -m 600 /dev/null'],
    [['--audit', '/no/such/file'], 1, '--audit: /no/such/file: cannot be written'],
    [['--admin', '0.0.0.0:0'], 1, 'loopback'],
  ])('does not start with %j', async (more, code, words) => {
    const ended = await run(['serve', '--policy', folder.policyFile, ...GATEWAY, ...more], ENV)
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(words)])
  })

  it('does not start with a bad line in its state, and says where it is', async () => {
    writeFileSync(stateFile, '\n{"kind":"revoked-credental","tenant":"acme","id":"ci"}\n')
    const ended = await run(['serve', '--policy', folder.policyFile, ...GATEWAY, '--state', stateFile])
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(`${stateFile}:2: kind`)])
  })

  it('takes its token from a file, and its clients too', async () => {
    const tokenFile = join(folder.path, 'token')
    writeFileSync(tokenFile, `${TOKEN}\n`)
    chmodSync(tokenFile, 0o600)
    const args = ['--policy', folder.policyFile, ...GATEWAY, '--admin', `unix:${folder.path}/admin.sock`]
    const serving = await serve([...args, '--admin-token-file', tokenFile])
    running.push(serving)
    const where = ['--server', `unix:${folder.path}/admin.sock`, '--admin-token-file', tokenFile]
    expect(await run(['keys', 'list', ...where])).toMatchObject({ code: 0, stdout: expect.stringContaining('acme') })
  })
})

it('kong-plugin-server refuses a revoked key too; its administration goes over to the server that takes its place', async () => {
  const socket = join(folder.path, 'kong.sock')
  const adminAt = `unix:${folder.path}/admin.sock`
  const args = ['--socket', socket, '--policy', folder.policyFile, '--state', stateFile, '--admin', adminAt]
  const first = await startService('kong-plugin-server', args, ENV)
  running.push(first)
  const second = await startService('kong-plugin-server', args, ENV)
  running.push(second)
  expect(await first.exit).toBe(0)
  expect(await admin('keys', 'revoke', ...ci, '--server', adminAt)).toMatchObject({ code: 0 })
  const client = createKongRpc({ socket, readTimeoutMs: 5000 })
  const headers = { host: 'acme.api.localhost', 'x-api-key': folder.key }
  const asked = { method: 'GET', target: '/v1/orders/7', host: headers.host, headers, address: '127.0.0.1' }
  const handed = JSON.stringify({ id: 'r', requestId: 'r', ...asked })
  const exit: unknown[] = []
  await client.handleEvent('tenant-gate', 'tenant-gate-1', {}, 'access', (method, given) => {
    if (method === 'kong.response.exit') exit.push(...given)
    return method === 'kong.ctx.shared.get' && given[0] === REQUEST_KEY ? handed : undefined
  })
  client.close()
  expect(exit[0]).toBe(401)
  expect(String(exit[1])).toContain('revoked_credential')
})
