/** `explain` says stage by stage why, for an allow and for each kind of denial. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explain } from '../../cli/explain.ts'
import { createAuthority } from '../support/certificates.ts'
import { said } from '../support/command.ts'
import { newKey } from '../support/gate.ts'

const [acme, initech] = [newKey(), newKey()]
let folder: string
let policy: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
  policy = join(folder, 'policy.yaml')
  writeFileSync(
    policy,
    `version: 1
identity: { host: { suffix: .api.test }, token: { issuer: "https://gw.test", audience: backends } }
plans:
  free: { limits: [{ name: burst, rate: 5/s, burst: 10 }, { name: daily, quota: 100/day }] }
  closed: { limits: [{ name: none, quota: 0/day }] }
tenants:
  acme: { plan: free, apiKeys: [{ id: ci, hash: "${acme.hash}", scopes: [orders:read] }] }
  initech: { plan: closed, apiKeys: [{ id: ci, hash: "${initech.hash}", scopes: [orders:read] }] }
upstreams: [orders-stable]
routes:
  - { name: health, match: { path: /healthz }, anonymous: true }
  - { name: read, match: { path: /orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: orders-stable }
  - { name: write, match: { path: /orders/**, methods: [POST] }, require: { scopes: [orders:write] } }
  - { name: trial, match: { path: /trial }, require: { scopes: [orders:write] }, mode: shadow }
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...argv: string[]) => said(explain, argv)

const ask = (key: string | undefined, path: string, ...more: string[]) =>
  run('--policy', policy, '--host', 'gw.test', '--path', path, ...(key ? ['-H', `X-Api-Key: ${key}`] : []), ...more)

describe('explain', () => {
  it('names every stage of an allow, and what backend and client are told', async () => {
    const { code, stdout } = await ask(acme.key, '/orders/1')
    expect(code).toBe(0)
    expect(stdout).toBe(`route        read (GET /orders/**)
credentials  apiKey 'ci'
tenant       acme (plan free)
permission   has scopes orders:read
limits       burst 9 of 10 left, daily 99 of 100 left [fresh buckets]
flags        orders-stable: default of the route
decision     allow
to backend   x-tenant-id: acme
to backend   x-tenant-plan: free
to backend   x-user-scopes: orders:read
to backend   x-tenantgate-identity: (a signed token)
to backend   x-tenantgate-upstream: orders-stable
to client    ratelimit-policy: "burst";q=10;w=2, "daily";q=100;w=86400
to client    ratelimit: "burst";r=9;t=1
to client    x-ratelimit-limit: 10
to client    x-ratelimit-remaining: 9
to client    x-ratelimit-reset: 1
`)
  })

  const denials: [
    name: string,
    key: string | undefined,
    path: string,
    more: string[],
    stage: string,
    decision: string,
  ][] = [
    [
      'a path',
      acme.key,
      '/orders/../x',
      [],
      'route        refused: the path is not canonical',
      '400 malformed_request',
    ],
    [
      'no credential',
      undefined,
      '/orders/1',
      [],
      'credentials  refused: no credential was shown',
      '401 missing_credential',
    ],
    [
      'a bad credential',
      newKey().key,
      '/orders/1',
      [],
      'credentials  refused: API key: not known',
      '401 invalid_credential',
    ],
    [
      'a conflict',
      acme.key,
      '/orders/1',
      ['--host', 'initech.api.test'],
      "tenant       refused: the credential names 'acme', the host 'initech'",
      '403 tenant_conflict',
    ],
    [
      'a scope',
      acme.key,
      '/orders/1',
      ['--method', 'POST'],
      "permission   refused: lacks scope 'orders:write'",
      '403 insufficient_scope',
    ],
    [
      'no route',
      acme.key,
      '/x',
      [],
      'permission   refused: no route matches host, method and path',
      '403 no_matching_route',
    ],
    [
      'a quota',
      initech.key,
      '/orders/1',
      [],
      "limits       refused: limit 'none' has no room [fresh buckets]",
      '429 quota_exceeded',
    ],
  ]
  it.each(denials)(
    'a denial for %s says at which stage and why, with exit code 3',
    async (_, key, path, more, stage, decision) => {
      const { code, stdout } = await ask(key, path, ...more)
      expect(code).toBe(3)
      expect(stdout.split('\n')).toEqual(expect.arrayContaining([stage, `decision     deny: ${decision}`]))
    },
  )

  it('never repeats a credential', async () => {
    const { stdout } = await ask(acme.key, '/orders/1', '--json')
    expect(stdout).not.toContain(acme.key)
  })

  it('says the same as JSON, also of a recorded request', async () => {
    const recorded = join(folder, 'request.json')
    const headers = { 'x-api-key': acme.key }
    writeFileSync(recorded, JSON.stringify({ method: 'POST', host: 'gw.test', path: '/orders/1', headers }))
    const { code, stdout } = await run('--policy', policy, '--request', recorded, '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({
      decision: 'deny',
      reason: 'insufficient_scope',
      status: 403,
      tenant: 'acme',
      because: "lacks scope 'orders:write'",
      stages: expect.arrayContaining([{ stage: 'tenant', found: 'acme (plan free)' }]),
    })
  })

  it('says what a route in shadow would have refused, and that it lets through', async () => {
    const { code, stdout } = await ask(acme.key, '/trial')
    expect(code).toBe(0)
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        "permission   in shadow, let through: would be insufficient_scope: lacks scope 'orders:write'",
        'decision     allow, in shadow: insufficient_scope',
      ]),
    )
    const json = JSON.parse((await ask(acme.key, '/trial', '--json')).stdout)
    expect(json).toMatchObject({
      decision: 'allow',
      shadow: [{ reason: 'insufficient_scope', because: "lacks scope 'orders:write'" }],
    })
  })

  it('knows what a state file says: who is revoked, and whose key was issued', async () => {
    const state = join(folder, 'state.jsonl')
    const issued = newKey()
    const key = { kind: 'key', tenant: 'acme', id: 'later', hash: issued.hash, scopes: ['orders:read'] }
    const lines = [key, { kind: 'revoked-credential', tenant: 'acme', id: 'ci' }]
    writeFileSync(state, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const reasonOf = async (secret: string, ...more: string[]) =>
      JSON.parse((await ask(secret, '/orders/1', '--json', ...more)).stdout).reason
    expect([await reasonOf(acme.key), await reasonOf(acme.key, '--state', state)]).toEqual([
      'allowed',
      'revoked_credential',
    ])
    expect([await reasonOf(issued.key), await reasonOf(issued.key, '--state', state)]).toEqual([
      'invalid_credential',
      'allowed',
    ])
    writeFileSync(state, 'nonsense\n')
    const { code, stderr } = await ask(acme.key, '/orders/1', '--state', state)
    expect([code, stderr]).toEqual([1, `tenantgate: --state: ${state}:1: is not JSON\n`])
  })

  it("takes a client's certificate, and says of a file without one", async () => {
    const withCertificates = join(folder, 'certificates.yaml')
    writeFileSync(
      withCertificates,
      `version: 1
identity: { sources: [clientCertificate] }
plans: { free: {} }
tenants: { acme: { plan: free, certificates: [{ id: batch, uri: spiffe://acme.test/batch, scopes: [orders:read] }] } }
routes: [{ name: all, match: { path: /** }, require: { scopes: [orders:read] } }]
`,
    )
    const authority = createAuthority('root')
    const [file, key] = [join(folder, 'client.pem'), join(folder, 'key.pem')]
    const { pem, key: secret } = authority.issue({ uris: ['spiffe://acme.test/batch'] })
    writeFileSync(file, `${secret}${pem}${authority.pem}`)
    writeFileSync(key, secret)
    const argv = ['--policy', withCertificates, '--host', 'gw.test', '--path', '/']
    const allowed = await run(...argv, '--cert', file)
    expect([allowed.code, allowed.stdout]).toEqual([0, expect.stringContaining("clientCertificate 'batch'")])
    expect((await run(...argv)).code).toBe(3)
    for (const none of [key, join(folder, 'nowhere.pem')]) {
      const { code, stderr } = await run(...argv, '--cert', none)
      expect([code, stderr]).toEqual([2, expect.stringContaining(`--cert ${none}: `)])
    }
  })

  it.each([
    [[], 'give --policy FILE, --server URL or --redis URL'],
    [['--policy', 'p', '--path', '/'], '--host is missing'],
    [['--policy', 'p', '--host', 'h'], '--path is missing'],
    [['--policy', 'p', '--host', 'h', '--path', '/', '-H', 'nonsense'], "a header is written -H 'name: value'"],
    [['--policy', 'p', '--request', '/no/such/file'], '--request /no/such/file: '],
    [['--policy', 'p', '--server', 'http://127.0.0.1:1'], 'not both'],
    [['--server', 'http://gateway.test'], '--server is http://127.0.0.1:PORT or unix:/path, on this machine'],
    [['--server', 'http://127.0.0.1:1'], 'the administration needs a token'],
    [['--polcy', 'p'], 'did you mean --policy?'],
  ])('wrong use is told, with exit code 2: %j', async (argv, words) => {
    const { code, stderr } = await run(...argv)
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)])
  })

  it('a bad policy is told as `validate` tells it, with exit code 1', async () => {
    const bad = join(folder, 'bad.yaml')
    writeFileSync(bad, 'version: 2\n')
    const { code, stderr } = await run('--policy', bad, '--host', 'h', '--path', '/')
    expect([code, stderr]).toEqual([1, expect.stringContaining('bad.yaml:1:10: version: ')])
  })
})
