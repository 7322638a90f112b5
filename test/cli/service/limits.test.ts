/** Limits of a running service, by the command line: used up over gRPC, told, given back, emptied, and all of it audited. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { storedHash } from '../../../core/credentials/api-key.ts'
import { checkOf, createClient } from '../../ext-authz/client.ts'
import { createFolder, type Folder, run, type Serving, serve } from '../serving.ts'

const TOKEN = randomBytes(32).toString('hex')
const ENV = { TENANTGATE_ADMIN_TOKEN: TOKEN }
const SECRET = randomBytes(32).toString('hex')
const ISSUER = 'https://id.example'

const policyText = (key: string) => `version: 1
issuers: [{ issuer: "${ISSUER}", secret: { file: secret }, audiences: [a], algorithms: [HS256], claims: { tenant: org } }]
plans: { pro: { limits: [{ name: yearly, quota: 5/year }] }, big: { limits: [] } }
tenants:
  acme: { plan: pro, apiKeys: [{ id: ci, hash: "${storedHash(key)}" }] }
  globex: { plan: big }
routes:
  - { name: plain, match: { path: /v1/plain } }
  - { name: orders, match: { path: /v1/orders/** }, limits: [{ name: per-user, quota: 2/year, by: [user] }] }
`

let folder: Folder
let serving: Serving
let server: string

beforeEach(async () => {
  folder = createFolder()
  writeFileSync(join(folder.path, 'secret'), SECRET)
  folder.writePolicy(policyText(folder.key))
  server = `unix:${folder.path}/admin.sock`
  const listening = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--admin', server]
  const audit = ['--audit', join(folder.path, 'audit.jsonl'), '--log-level', 'debug']
  serving = await serve(['--policy', folder.policyFile, ...listening, ...audit], ENV)
})

afterEach(async () => {
  serving.signal('SIGKILL')
  await serving.exit
  folder.remove()
})

/** How many of so many Checks are allowed. */
async function allowed(
  count: number,
  headers: Readonly<Record<string, string>>,
  path = '/v1/orders/1',
): Promise<number> {
  const client = createClient(serving.grpc[0] ?? '')
  const answers = await Promise.all(Array.from({ length: count }, () => client.check(checkOf({ path, headers }))))
  client.close()
  return answers.filter(({ deniedResponse }) => !deniedResponse).length
}

const ofUser = async (sub: string) => {
  const token = new SignJWT({ org: 'globex', sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience('a')
  return { authorization: `Bearer ${await token.setIssuedAt().setExpirationTime('1h').sign(Buffer.from(SECRET))}` }
}

const limits = (verb: string, tenant: string, ...more: string[]) =>
  run(['limits', verb, '--tenant', tenant, '--server', server, ...more], ENV)
const bucketsOf = async (...argv: [tenant: string, ...more: string[]]) =>
  JSON.parse((await limits('show', ...argv, '--json')).stdout).limits[0].buckets

it('limits credit lets as many more through, and limits reset all of them', async () => {
  const useAll = () => allowed(8, { 'x-api-key': folder.key }, '/v1/plain')
  expect(await useAll()).toBe(5)
  const yearly = ['acme', '--limit', 'yearly'] as const
  expect(await bucketsOf(...yearly)).toMatchObject([{ used: 5, remaining: 0, refused: 3 }])
  const credit = await limits('credit', ...yearly, '--units', '2')
  expect(credit).toMatchObject({ code: 0, stdout: expect.stringContaining('left before 0, now 2') })
  expect(await useAll()).toBe(2)
  expect((await limits('reset', ...yearly)).stdout).toContain('left before 0, now 5')
  expect(await useAll()).toBe(5)
  serving.signal('SIGTERM')
  expect(await serving.exit).toBe(0)
  const text = readFileSync(join(folder.path, 'audit.jsonl'), 'utf8')
  const changes = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(changes.filter(({ limit }) => limit === 'yearly')).toMatchObject([
    {
      action: 'limit_changed',
      outcome: 'done',
      change: 'credit',
      units: 2,
      usedBefore: 5,
      usedAfter: 3,
      leftBefore: 0,
      leftAfter: 2,
    },
    {
      action: 'limit_changed',
      outcome: 'done',
      change: 'reset',
      usedBefore: 5,
      usedAfter: 0,
      leftBefore: 0,
      leftAfter: 5,
    },
  ])
  for (const secret of [TOKEN, folder.key]) expect(`${text}${serving.output()}`).not.toContain(secret)
}, 60_000)

it('limits of a route count each user apart, and one is helped alone', async () => {
  const [one, two] = [await ofUser('u:1=x'), await ofUser('u2')]
  expect([await allowed(3, one), await allowed(3, two)]).toEqual([2, 2])
  const buckets = await bucketsOf('globex')
  expect(buckets).toHaveLength(2)
  expect(buckets).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ by: { user: 'u:1=x' }, used: 2, remaining: 0, refused: 1 }),
      expect.objectContaining({ by: { user: 'u2' }, used: 2, remaining: 0, refused: 1 }),
    ]),
  )
  const helped = await limits('credit', 'globex', '--limit', 'per-user', '--by', 'user=u:1=x', '--units', '1')
  expect(helped.stdout).toBe(
    "'per-user' of globex, route:orders, user=u:1=x: given back 1; used before 2, now 1; left before 0, now 1\n",
  )
  expect([await allowed(3, one), await allowed(3, two)]).toEqual([1, 0])
})

it('a flood of users is shown by its first hundred', async () => {
  for (let i = 0; i < 120; i++) expect(await allowed(1, await ofUser(`u${i}`))).toBe(1)
  const { stdout } = await limits('show', 'globex')
  expect(stdout.trim().split('\n')).toHaveLength(102)
  expect(stdout).toContain("'per-user' of route:orders has more buckets")
}, 60_000)

it('explain --server shows what is left and leaves it, and tells no log of it', async () => {
  expect(await allowed(1, { 'x-api-key': folder.key })).toBe(1)
  const request = ['--host', 'gw.test', '--path', '/v1/orders/1', '-H', `x-api-key: ${folder.key}`]
  const lines = serving.lines.length
  for (let i = 0; i < 3; i++) {
    const told = await run(['explain', '--server', server, ...request], ENV)
    expect([told.code, told.stderr]).toEqual([0, ''])
    expect(told.stdout).toContain('limits       yearly 3 of 5 left, per-user 0 of 2 left [live]\n')
    expect(told.stdout).not.toContain(folder.key)
  }
  expect(serving.lines).toHaveLength(lines)
  expect(await allowed(2, { 'x-api-key': folder.key })).toBe(1)
  const denied = await run(['explain', '--server', server, ...request, '--json'], ENV)
  expect(denied.code).toBe(3)
  expect(JSON.parse(denied.stdout)).toMatchObject({ reason: 'quota_exceeded', limits: 'live: as they stand now' })
  const metrics = await (await fetch(`${serving.http}/metrics`)).text()
  expect(metrics).toMatch(/^tenantgate_decisions_total\{decision="allow",reason="allowed"\} 2$/m)
  expect(metrics).toMatch(/^tenantgate_decisions_total\{decision="deny",reason="quota_exceeded"\} 1$/m)
  const state = await run(['explain', '--server', server, ...request, '--state', 'x'], ENV)
  expect(state).toMatchObject({ code: 2, stderr: expect.stringContaining('--state is for --policy') })
  const gone = await run(['explain', '--server', `unix:${folder.path}/none`, ...request], ENV)
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no such socket') })
})
