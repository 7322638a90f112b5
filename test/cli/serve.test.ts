/** `serve` as a process: what it decides over real sockets, and what it tells of itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CheckClient, checkOf, createClient } from '../ext-authz/client.ts'
import { createFolder, type Folder, policyText, type Serving, serve } from './serving.ts'

let folder: Folder
let serving: Serving
let clients: CheckClient[]

beforeAll(async () => {
  folder = createFolder()
  const listen = ['--listen', `unix:${folder.path}/tg.sock`, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0']
  serving = await serve(['--policy', folder.policyFile, '--log-level', 'debug', ...listen])
  clients = serving.grpc.map(createClient)
})

afterAll(async () => {
  for (const client of clients) client.close()
  serving.signal('SIGTERM')
  expect(await serving.exit).toBe(0)
  folder.remove()
})

const onEach = async (message: object) => {
  const answers = await Promise.all(clients.map((client) => client.check(message)))
  for (const answer of answers) expect(answer.status).toEqual(answers[0]?.status)
  return answers[0]
}

describe('a Check', () => {
  it('is answered on the Unix socket and on TCP alike', async () => {
    expect(serving.grpc).toEqual([`unix:${folder.path}/tg.sock`, expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/)])
    const answer = await onEach(
      checkOf({ headers: { 'x-api-key': folder.key, 'x-tenant-id': 'evil', x_tenant_id: 'evil' } }),
    )
    expect(answer).toMatchObject({
      status: { code: 0 },
      okResponse: { headersToRemove: expect.arrayContaining(['x_tenant_id']) },
    })
    const headers = answer?.okResponse?.headers.map(({ header }) => `${header.key}=${header.value}`)
    expect(headers).toContain('x-tenant-id=acme')
    expect(headers).toContain('x-tenantgate-upstream=orders-stable')
    expect(answer?.okResponse?.responseHeadersToAdd.map(({ header }) => header.key)).toContain('ratelimit')
  })

  it.each([
    ['no credential', { headers: {} }, 401, 'missing_credential'],
    ['an unknown key', { headers: { 'x-api-key': 'nobody' } }, 401, 'invalid_credential'],
    ['a path that is not canonical', { path: '/v1/../admin' }, 400, 'malformed_request'],
    ['nothing but an empty request', { method: '', path: '', host: '' }, 400, 'malformed_request'],
  ])('with %s is refused', async (_what, http, status, code) => {
    const answer = await onEach(checkOf(http))
    expect(answer?.deniedResponse?.status.code).toBe(status)
    expect(JSON.parse(answer?.deniedResponse?.body ?? '')).toMatchObject({ code, status })
  })

  it.each([{}, { attributes: {} }])('without a request is refused, not a failure: %j', async (message) => {
    expect((await onEach(message))?.deniedResponse?.status.code).toBe(400)
  })

  it('with two keys is refused, whether they come apart or joined', async () => {
    const rawValue = Buffer.from(folder.key)
    const apart = {
      headerMap: {
        headers: [
          { key: 'x-api-key', rawValue },
          { key: 'X-API-KEY', rawValue },
        ],
      },
    }
    const joined = { headers: { 'x-api-key': `${folder.key},${folder.key}` } }
    for (const http of [apart, joined]) {
      const { deniedResponse } = (await onEach(checkOf(http))) ?? {}
      expect(deniedResponse?.status.code).toBe(400)
      expect(deniedResponse?.body).toContain('ambiguous_credential')
    }
  })

  it('with bytes that are not UTF-8 is decided all the same', async () => {
    const headers = [{ key: 'x-api-key', rawValue: Buffer.concat([Buffer.from(folder.key), Buffer.from([0xff])]) }]
    expect((await onEach(checkOf({ headerMap: { headers } })))?.deniedResponse?.status.code).toBe(401)
    const beside = [
      { key: 'x-api-key', rawValue: Buffer.from(folder.key) },
      { key: 'x-other', rawValue: Buffer.from([0xff, 0xfe]) },
    ]
    expect((await onEach(checkOf({ headerMap: { headers: beside } })))?.status.code).toBe(0)
  })

  it('with a header of 64 kB is decided all the same', async () => {
    const headers = { 'x-api-key': folder.key, 'x-long': 'x'.repeat(65_536) }
    expect((await onEach(checkOf({ headers })))?.status.code).toBe(0)
    expect((await onEach(checkOf({ headers: { 'x-api-key': 'x'.repeat(65_536) } })))?.deniedResponse?.status.code).toBe(
      401,
    )
  })

  it('is answered with its own answer when many are under way', async () => {
    const [client] = clients
    const keys = Array.from({ length: 100 }, (_, index) => (index % 3 === 0 ? 'nobody' : folder.key))
    const answers = await Promise.all(keys.map((key) => client?.check(checkOf({ headers: { 'x-api-key': key } }))))
    expect(answers.map((answer) => answer?.status.code)).toEqual(keys.map((key) => (key === 'nobody' ? 16 : 0)))
  })
})

describe('what is told', () => {
  it('probes say ready, and health says SERVING', async () => {
    expect((await fetch(`${serving.http}/healthz`)).status).toBe(200)
    expect((await fetch(`${serving.http}/readyz`)).status).toBe(200)
    for (const client of clients) expect(await client.health('')).toBe('SERVING')
  })

  it('metrics count what was decided', async () => {
    await clients[0]?.check(checkOf({ headers: { 'x-api-key': folder.key } }))
    const text = await (await fetch(`${serving.http}/metrics`)).text()
    expect(text).toMatch(/^tenantgate_decisions_total\{decision="allow",reason="allowed"\} [1-9]/m)
    expect(text).toMatch(/^tenantgate_decisions_total\{decision="deny",reason="ambiguous_credential"\} [1-9]/m)
    expect(text).toMatch(/^tenantgate_decision_duration_seconds_count [1-9]/m)
    expect(text).toMatch(/^tenantgate_policy_info\{version="\w+"\} 1$/m)
    expect(text).toMatch(/^tenantgate_faults_total 0$/m)
  })

  it('a denial is one line with its request id, and no line or metric holds a key', async () => {
    const headers = { 'x-request-id': 'r-77', 'x-api-key': `${folder.key}x`, authorization: `Bearer ${folder.key}` }
    await clients[0]?.check(checkOf({ headers }))
    const denial = () => serving.lines.find(({ requestId }) => requestId === 'r-77')
    await expect.poll(denial).toMatchObject({ level: 'info', decision: 'deny', reason: expect.any(String) })
    expect(serving.lines.some(({ decision }) => decision === 'allow')).toBe(true)
    const told = `${serving.output()}${await (await fetch(`${serving.http}/metrics`)).text()}`
    expect(told).not.toContain(folder.key)
    expect(told).not.toContain(folder.key.slice(9))
  })
})

describe('the policy', () => {
  it('is read again on SIGHUP; a bad one leaves the last good in place, in log and metrics', async () => {
    const [client] = clients
    const read = checkOf({ headers: { 'x-api-key': folder.key } })
    folder.writePolicy(policyText(folder.key).replace('scopes: [orders:read] }]', 'scopes: [orders:write] }]'))
    serving.signal('SIGHUP')
    await serving.line('policy reloaded')
    expect((await client?.check(read))?.deniedResponse?.body).toContain('insufficient_scope')
    folder.writePolicy(policyText(folder.key, 'bogus: 1\n'))
    serving.signal('SIGHUP')
    const { problems } = await serving.line('policy rejected, the last good one stays')
    expect(problems).toEqual([expect.stringMatching(/tenantgate\.yaml:\d+:\d+: bogus/)])
    expect((await client?.check(read))?.deniedResponse?.body).toContain('insufficient_scope')
    const text = await (await fetch(`${serving.http}/metrics`)).text()
    expect(text).toMatch(/^tenantgate_policy_reloads_total\{result="success"\} [1-9]/m)
    expect(text).toMatch(/^tenantgate_policy_reloads_total\{result="failure"\} [1-9]/m)
    expect((await fetch(`${serving.http}/readyz`)).status).toBe(200)
  })

  it('that says otherwise where state lives is taken for all the rest, and that it needs another start is told', async () => {
    folder.writePolicy(policyText(folder.key, 'state: { store: memory, cache: 30s }\n'))
    serving.signal('SIGHUP')
    await serving.line('`state` of the policy has changed: that takes effect at the next start')
    expect(serving.lines.some(({ msg }) => msg === 'policy reloaded')).toBe(true)
  })

  it('that may hold a slip is served, and the slip is told', async () => {
    folder.writePolicy(
      policyText(folder.key).replace('plan: pro', 'plan: pro\n    limits: [{ name: dayly, quota: 5/day }]'),
    )
    serving.signal('SIGHUP')
    const { notes } = await serving.line('the policy has what may be a slip')
    expect(notes).toEqual([expect.stringMatching(/tenantgate\.yaml:\d+:\d+: .* did you mean `daily`\?$/)])
  })
})
