/** `tenants import`, `set`, `show` and `list` on a real Redis: what they say, what they refuse, and that they do it whole. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tenants } from '../../../cli/tenants/tenants.ts'
import { validate } from '../../../cli/validate.ts'
import { readLive } from '../../../stores/redis/directory/read.ts'
import { said } from '../../support/command.ts'
import { emptied, openTestRedis, type TestRedis } from '../../support/test-redis.ts'

let redis: TestRedis
let folder: string
let url: string

const HASH = `sha256:${'a'.repeat(64)}`
const POLICY = `# what holds for all
version: 1
identity: { host: { suffix: .api.example }, sources: [apiKey, jwt, clientCertificate] }
plans:
  free: { limits: [{ name: daily, quota: 100/day }] }
  pro: { limits: [{ name: daily, quota: 10000/day }] }
tenants:
  # the first
  acme:
    plan: pro
    aliases: [org_7f3a]
    hosts: [api.acme.example]
    attributes: { beta: true }
    certificates: [{ id: batch, uri: "spiffe://acme.example/batch", limits: [{ name: c, quota: 5/day }] }]
    apiKeys:
    - { id: ci, hash: "${HASH}", scopes: [orders:read], limits: [{ name: k, rate: 1/s }], expiresAt: "2027-01-01T00:00:00Z" }
  globex: { plan: free, status: suspended }
issuers: [{ issuer: https://id.example, jwks: jwks.json, audiences: [a], algorithms: [RS256], claims: { tenant: t } },
  { issuer: https://in.example, secret: { env: IN_SECRET }, audiences: [a], algorithms: [HS256], tenants: [acme] }]
routes: [{ name: all, match: { path: /** }, cost: 5 }]
`
const SECRET = 'never-to-be-seen-'.repeat(3)
const env = { IN_SECRET: SECRET }

beforeAll(async () => {
  redis = await openTestRedis()
  folder = mkdtempSync(join(tmpdir(), 'tg-tenants-'))
  writeFileSync(join(folder, 'jwks.json'), readFileSync(join(import.meta.dirname, '../../fixtures/policy/jwks.json')))
  url = `${redis.server.url}?prefix=${redis.server.place.prefix}`
})
afterAll(async () => {
  await redis.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  await emptied(redis.connection)
})

function file(text = POLICY, name = 'tenantgate.yaml'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const run = (...argv: string[]) => said(tenants, [...argv, '--redis', url], env)
const importing = (text?: string, ...argv: string[]) => run('import', file(text), ...argv)
const set = (id: string, text: string, ...argv: string[]) => run('set', id, '--file', file(text, 'one.yaml'), ...argv)
const live = async () => {
  const found = await readLive(redis.connection)
  if (!found) throw new Error('there is no policy')
  return found
}

describe('tenants import', () => {
  it('refuses what validate refuses, in the same words, and writes nothing', async () => {
    const bad = POLICY.replace('plan: free', 'plan: fre').replace('status: suspended', 'stats: x')
    const refused = await importing(bad)
    const validated = await said(validate, [file(bad)], env)
    expect([refused.code, refused.stderr]).toEqual([1, validated.stderr])
    const withoutSecret = await said(tenants, ['import', file(), '--redis', url], {})
    expect([withoutSecret.code, withoutSecret.stderr]).toEqual([1, expect.stringContaining('IN_SECRET is not set')])
    expect(await redis.connection.client.keys(`${redis.server.place.prefix}:*`)).toEqual([])
  })

  it('stores the policy with its lines where they were, its tenants apart, public files and no secret', async () => {
    const { code, stdout } = await importing()
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/tenantgate\.yaml: imported \(version \w{12}, 2 tenants\)/),
    ])
    const bundle = await (await live()).bundle()
    expect(Object.keys(bundle.files)).toEqual(['jwks.json'])
    const line = (text: string) => text.split('\n').findIndex((one) => one.startsWith('issuers:'))
    expect(line(bundle.text)).toBe(line(POLICY))
    expect(bundle.text).not.toContain('acme:')
    const { client, place } = redis.connection
    for (const key of await client.keys(`${place.prefix}:*`)) {
      const dump = await client.dumpBuffer(key)
      expect(dump?.includes(SECRET)).toBe(false)
    }
    const stored = await (await live()).tenant('acme')
    expect(stored?.entry).not.toHaveProperty('apiKeys')
    expect(stored?.credentialLimits).toEqual({ ci: [{ name: 'k', rate: '1/s' }] })
  })

  it('says of a secret whose file has a relative path where each instance will look for it', async () => {
    writeFileSync(join(folder, 'in-secret'), SECRET)
    const { code, stderr } = await importing(POLICY.replace('{ env: IN_SECRET }', '{ file: in-secret }'))
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/note: issuers\[1\]\.secret\.file: is read by each instance/),
    ])
    expect((await (await live()).bundle()).files).not.toHaveProperty('in-secret')
  })

  it('says where the file names another Redis than the one it goes into, and imports', async () => {
    const named = (state: string) => importing(`${POLICY}state: ${state}\n`)
    const { port } = redis.server.place.nodes[0] ?? {}
    const { prefix } = redis.server.place
    const here = `redis://127.0.0.1:${port}`
    const other = await named('{ store: "redis://other.example:6379" }')
    expect([other.code, other.stderr]).toEqual([
      0,
      expect.stringMatching(/tenantgate\.yaml:21:17: note: state\.store: is another Redis than the one/),
    ])
    const prefixed = await named(`{ store: "${here}", prefix: another }`)
    expect(prefixed.stderr).toMatch(/: note: state\.prefix: is another prefix, 'another', than/)
    expect((await named(`{ store: "${here}" }`)).stderr).toMatch(
      /: note: state\.store: is another prefix, 'tenantgate',/,
    )
    for (const same of [`{ store: "${here}?prefix=${prefix}" }`, `{ store: "${here}", prefix: "${prefix}" }`, '{}']) {
      expect(await named(same)).toMatchObject({ code: 0, stderr: '' })
    }
  })

  it('says what it would change on trial, what it has changed, and that nothing is different', async () => {
    await importing()
    const next = POLICY.replace('  globex: { plan: free, status: suspended }', '  initech: { plan: pro }').replace(
      'beta: true',
      'beta: false',
    )
    const alone = await importing(POLICY.replace('  globex: { plan: free, status: suspended }\n', ''), '--dry-run')
    expect(alone.stdout).toMatch(/, 1 tenant\)\n/)
    const trial = await importing(next, '--dry-run')
    expect(trial.stdout).toContain('would be imported')
    expect(trial.stdout).toContain('added    1: initech\nchanged  1: acme\nremoved  1: globex\n')
    expect((await run('list', '--json')).stdout).toContain('globex')
    const { stdout } = await importing(next, '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'imported',
      tenants: 2,
      added: ['initech'],
      changed: ['acme'],
      removed: ['globex'],
      isPolicyChanged: false,
    })
    expect((await importing(next)).stdout).toContain('is what is there already')
  })

  it('tells one change among many', async () => {
    const hash = (at: number) => `sha256:${at.toString(16).padStart(64, '0')}`
    const keys = (at: number) =>
      Array.from({ length: 10 }, (_, key) => `{ id: k${key}, hash: "${hash(10 * at + key)}" }`).join(', ')
    const all = Array.from({ length: 500 }, (_, at) => `  t${at}: { plan: free, apiKeys: [${keys(at)}] }\n`)
    const large = `version: 1\nplans: { free: {} }\ntenants:\n${all.join('')}routes: [{ name: all, match: { path: /** } }]\n`
    const { code, stdout } = await importing(large)
    expect([code, stdout]).toEqual([0, expect.stringContaining('500 tenants')])
    expect(await (await live()).keyCount('t499')).toBe(10)
    expect((await importing(large.replace('k3', 'k_3'))).stdout).toContain('changed  1: t0\n')
  })
})

describe('tenants set', () => {
  it('takes back what show prints, and nothing is lost', async () => {
    await importing()
    const shown = await run('show', 'acme')
    expect(shown.stdout).toContain(`hash: ${HASH}`)
    expect((await set('acme', shown.stdout)).code).toBe(0)
    const again = await run('show', 'acme')
    expect(again.stdout.replace('revision 2', 'revision 1')).toBe(shown.stdout)
    const json = JSON.parse((await run('show', 'acme', '--json')).stdout)
    expect(json).toMatchObject({ id: 'acme', revision: 2, tenant: { plan: 'pro', apiKeys: [{ id: 'ci' }] } })
    expect((await set('acme', JSON.stringify(json.tenant))).stdout).toBe('acme: changed, revision 3\n')
    const { differences } = JSON.parse(`{"differences":${(await importing(POLICY, '--dry-run', '--json')).stdout}}`)
    expect(differences).toMatchObject({ added: [], removed: [], isPolicyChanged: false })
  })

  it.each([
    ['plan: fre', /one\.yaml:1:7: tenants\.new\.plan: there is no plan `fre`; did you mean `free`\?/],
    [
      'plan: free\nplna: 1',
      /one\.yaml:2:1: tenants\.new\.plna: is not a key that is known here; did you mean `plan`\?/,
    ],
    ['[]', /tenants\.new: is a list; write a map/],
    ['{', /one\.yaml:1:\d+: is not YAML/],
    ['plan: free\nhosts: [x.api.example]', /hosts\[0\]: stands under `identity\.host\.suffix`/],
    ['plan: free\nlimits: [{ name: nope, unlimited: true }]', /plan `free` has no limit `nope` to remove/],
    ['plan: free\nlimits: [{ name: small, quota: 4/day }]', /routes\[0\]\.cost: a cost of 5 is above the quota 4/],
    ['plan: free\naliases: ["\\uD800"]', /aliases\[0\]: .*half of a character/],
    ['plan: free\naliases: [org_7f3a, acme]', /'org_7f3a' is an alias of 'acme'.*'acme' is the id of a tenant/],
    ['plan: free\nhosts: [api.acme.example]', /hosts: 'api\.acme\.example' belongs to 'acme'; write another/],
    [`plan: free\napiKeys: [{ id: x, hash: "${HASH}" }]`, /apiKeys: the hash sha256:a+ is that of a key of 'acme'/],
    [
      'plan: free\ncertificates: [{ id: x, uri: "spiffe://acme.example/batch" }]',
      /certificates: uri spiffe:\/\/acme\.example\/batch names those of 'acme'/,
    ],
  ])('refuses %j in words, and changes nothing', async (text, words) => {
    await importing()
    const refused = await set('new', text)
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([1, '', expect.stringMatching(words)])
    expect((await run('list')).stdout).toMatch(/^tenant {2,}plan.*\nacme .*\nglobex .*\n$/)
    expect((await live()).head.revision).toBe(1)
  })

  it('is refused at another revision than the wanted one', async () => {
    await importing()
    expect((await set('acme', 'plan: free', '--if-revision', '1')).stdout).toBe('acme: changed, revision 2\n')
    expect((await set('acme', 'plan: pro', '--if-revision', '1')).stderr).toContain('it is at revision 2')
    expect((await set('acme', 'plan: pro', '--if-revision', '0')).code).toBe(1)
    expect((await set('new', 'plan: pro', '--if-revision', '1')).stderr).toContain("there is no tenant 'new'")
    expect((await set('new', 'plan: pro', '--if-revision', '0', '--json')).stdout).toBe(
      '{"id":"new","revision":3,"isNew":true}\n',
    )
  })
})

describe('tenants remove', () => {
  it('takes a tenant away with all that it was found by, which others may have then, and nothing of the others', async () => {
    await importing()
    expect(await run('remove', 'acme')).toMatchObject({ code: 0, stdout: 'acme: is there no more\n', stderr: '' })
    expect((await run('list')).stdout).toMatch(/^tenant {2,}plan.*\nglobex .*\n$/)
    const { client, place } = redis.connection
    for (const key of await client.keys(`${place.prefix}:{directory}:g*`)) {
      if (!key.endsWith(':policy')) expect((await client.dumpBuffer(key))?.includes('acme')).toBe(false)
    }
    const all = `plan: free\naliases: [acme, org_7f3a]\nhosts: [api.acme.example]\napiKeys: [{ id: a, hash: "${HASH}" }]`
    expect((await set('new', all)).code).toBe(0)
  })

  it('is refused at another revision than the wanted one, where there is none, and without a policy', async () => {
    expect((await run('remove', 'acme')).stderr).toContain('there is no policy in this Redis yet')
    await importing()
    await set('acme', 'plan: free')
    expect((await run('remove', 'acme', '--if-revision', '1')).stderr).toContain('it is at revision 2')
    expect((await run('remove', 'nobody')).stderr).toBe("tenantgate: tenants remove: there is no tenant 'nobody'\n")
    const audit = join(folder, 'removed.log')
    expect((await run('remove', 'acme', '--if-revision', '2', '--json', '--audit', audit)).stdout).toBe(
      '{"id":"acme","issuedKeys":0}\n',
    )
    expect((await run('remove', 'acme', '--audit', audit)).code).toBe(1)
    const lines = readFileSync(audit, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { action: 'tenant_removed', outcome: 'done', tenant: 'acme' },
      { action: 'tenant_removed', outcome: 'refused', reason: 'other revision', tenant: 'acme' },
    ])
  })
})

describe('tenants', () => {
  it('are told by list; what is not there is told in words', async () => {
    for (const verb of [['list'], ['show', 'acme']]) {
      expect((await run(...verb)).stderr).toContain('there is no policy in this Redis yet')
    }
    expect((await set('acme', 'plan: free')).stderr).toContain('`tenantgate tenants import FILE` puts one there')
    await importing()
    expect((await run('list')).stdout).toMatch(/acme +pro +active +1\nglobex +free +suspended +1\n/)
    expect((await run('show', 'nobody')).stderr).toContain("there is no tenant 'nobody'")
  })

  it.each([
    [['import', '--redis', 'redis://x'], /which file/],
    [['import', 'a', 'b', '--redis', 'redis://x'], /which file/],
    [['import', 'a'], /in which Redis\? give --redis/],
    [['set', 'Acme', '--redis', 'redis://x'], /'Acme' is not a tenant id/],
    [['set', 'a', '--if-revision', 'x', '--redis', 'redis://x'], /--if-revision is a number/],
    [['show', '--redis', 'redis://x'], /which tenant/],
    [['show', '../a', '--redis', 'redis://x'], /is not a tenant id/],
    [['list', '--redis', 'http://x'], /is not the address of a Redis/],
    [['list', 'acme', '--redis', 'redis://x'], /takes no names/],
    [['remove', '--redis', 'redis://x'], /which tenant/],
    [['remove', 'a', '--if-revision', 'x', '--redis', 'redis://x'], /--if-revision is a number/],
    [['drop'], /expected import, set, remove, show or list/],
  ])('wrong use is told: %j', async (argv, words) => {
    const { code, stderr } = await said(tenants, argv, {})
    expect([code, stderr]).toEqual([2, expect.stringMatching(words)])
  })

  it('changes are audited, done or refused, and no hash of a key is', async () => {
    const audit = join(folder, 'audit.log')
    await importing(POLICY, '--audit', audit)
    await set('new', 'plan: free\naliases: [acme]', '--audit', audit)
    await said(tenants, ['set', 'new', '--file', file('plan: free', 'one.yaml'), '--redis', url], {
      TENANTGATE_AUDIT: audit,
      USER: 'carla',
    })
    const lines = readFileSync(audit, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'administration', action: 'policy_imported', outcome: 'done', tenants: 2, address: 'command line' },
      { action: 'tenant_set', outcome: 'refused', reason: 'taken', tenant: 'new' },
      { action: 'tenant_set', outcome: 'done', tenant: 'new', actor: 'carla' },
    ])
    const nowhere = await set('new', 'plan: pro', '--audit', '/no/such/file')
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('--audit: /no/such/file')])
    expect((await run('list')).stdout).toMatch(/new +free/)
  })
})

describe('a Redis that does not do it', () => {
  const PASSWORD = 'open-sesame-is-not-it'

  async function refusedBy(args: readonly string[], at: (port: number) => string, given: Record<string, string> = {}) {
    const own = await openTestRedis({ own: true })
    const { client } = own.connection
    const [command, ...rest] = args
    if (command !== undefined) await client.call(command, ...rest)
    const { code, stdout, stderr } = await said(tenants, ['import', file(), '--redis', at(own.server.port)], {
      ...env,
      ...given,
    })
    await own.close()
    expect(stdout + stderr).not.toContain(PASSWORD)
    return { code, stderr }
  }
  const plain = (port: number) => `redis://127.0.0.1:${port}`
  const requirePass = ['config', 'set', 'requirepass', 'another']

  it.each<[string, readonly string[], (port: number) => string, Record<string, string>, RegExp]>([
    ['wants a password', requirePass, plain, {}, /wants a password: give --redis-password-file/],
    [
      'refuses the one in the address',
      requirePass,
      (port) => `redis://:${PASSWORD}@127.0.0.1:${port}`,
      {},
      /refuses the/,
    ],
    ['refuses the one in the environment', requirePass, plain, { TENANTGATE_REDIS_PASSWORD: PASSWORD }, /refuses the/],
    ['is a replica', ['replicaof', '127.0.0.1', '1'], plain, {}, /is a replica/],
    ['has no memory left', ['config', 'set', 'maxmemory', '1'], plain, {}, /has no memory left/],
    ['is not there', [], () => 'redis://127.0.0.1:1', {}, /nobody listens there/],
  ])('%s: told in words, exit code 1', async (_, args, at, given, words) => {
    const { code, stderr } = await refusedBy(args, at, given)
    expect([code, stderr]).toEqual([1, expect.stringMatching(words)])
    expect(stderr).toMatch(/^tenantgate: tenants import: redis:\/\/127\.0\.0\.1:\d+: /)
  })

  it('dies in the middle of an import: exit code 1, and a word of it', async () => {
    const own = await openTestRedis({ own: true })
    const all = Array.from({ length: 3000 }, (_, index) => `  t${index}: { plan: free }\n`).join('')
    const large = file(POLICY.replace('  # the first\n', all), 'large.yaml')
    own.server.freeze()
    const importing = said(tenants, ['import', large, '--redis', plain(own.server.port)], env)
    await own.server.kill()
    const { code, stdout, stderr } = await importing
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^tenantgate: tenants import: redis:\/\/\S+: (?:nobody listens there|the connection was lost)/,
    )
    await own.close()
  })
})
