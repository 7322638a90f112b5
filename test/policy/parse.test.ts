/** What a good policy becomes, and that hostile ones are refused in reasonable time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { compilePolicy } from '../../policy/compile.ts'
import { loadPolicy } from '../../policy/load.ts'
import { parsePolicy } from '../../policy/parse.ts'
import { formatProblem, pathText } from '../../policy/problem.ts'

const complete = join(packageRoot, 'test', 'fixtures', 'policy', 'complete.yaml')
const env = { INTERNAL_SECRET: 'not-a-real-secret-but-long-enough' }

function completePolicy() {
  const loaded = loadPolicy(complete, env)
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.policy
}

const noFiles = { file: 'policy.yaml', readFile: () => ({ failure: 'does not exist' }), env: {} }
const parse = (text: string) => parsePolicy(text, noFiles)
const withTenants = (tenants: string) =>
  `version: 1\nplans: { free: {} }\nroutes: [{ name: all, match: { path: /** } }]\ntenants:\n${tenants}`

function problemsOf(text: string): readonly string[] {
  const result = parse(text)
  return result.ok ? [] : result.problems.map(({ line, path, message }) => `${line}: ${path}: ${message}`)
}

describe('a complete policy', () => {
  const policy = completePolicy()

  it('finds tenants by id, by alias and by host, and keys by the hash', () => {
    const acme = policy.directory.byId('acme')
    expect(acme).toMatchObject({
      id: 'acme',
      plan: 'pro',
      calendar: { timeZone: 'Europe/Berlin', billingDay: 1, billingMonth: 1 },
      status: 'active',
    })
    expect([acme?.consumer, policy.directory.byId('globex')?.consumer]).toEqual(['acme-inc', undefined])
    expect(policy.directory.byName('org_7f3a')).toBe(acme)
    expect(policy.directory.byName('acme')).toBe(acme)
    expect(policy.directory.byHost('api.acme.example')).toBe(acme)
    expect(policy.directory.apiKeyByHash('a'.repeat(64))).toEqual({
      id: 'ci',
      tenant: 'acme',
      scopes: ['orders:read'],
      roles: ['builder'],
      notBefore: Date.UTC(2026, 0, 1),
      expiresAt: Date.UTC(2026, 11, 31, 23),
    })
  })

  it("puts a tenant's limits in the place of the plan's, adds to them and removes from them", () => {
    expect(policy.directory.byId('acme')?.limits).toEqual([
      {
        kind: 'rate',
        name: 'burst',
        tokens: 50,
        periodMs: 1000,
        burst: 100,
        weighted: true,
        by: ['tenant', 'credential'],
        expose: true,
      },
      { kind: 'quota', name: 'daily', amount: 50000, period: { count: 1, unit: 'day' }, by: ['tenant'], expose: true },
      {
        kind: 'rate',
        name: 'strict',
        tokens: 1,
        periodMs: 1000,
        burst: 1,
        weighted: false,
        by: ['tenant'],
        expose: true,
        mode: 'shadow',
      },
      {
        kind: 'rate',
        name: 'extra',
        tokens: 300,
        periodMs: 60_000,
        burst: 300,
        weighted: false,
        by: ['user', 'header:x-device', 'claim:azp'],
        expose: true,
      },
    ])
    expect(policy.directory.byId('initech')?.limits.map(({ name }) => name)).toEqual(['daily', 'strict'])
  })

  it('folds headers, reads claims as paths, and takes secrets from where the policy says', () => {
    expect(policy.identity).toMatchObject({
      sources: ['jwt', 'opaqueToken', 'apiKey', 'clientCertificate', 'host'],
      apiKey: { header: 'x-acme-key', bearer: false },
      removeCredentials: true,
    })
    const issuer = policy.issuers.get('https://id.example.com')
    expect(issuer?.claims).toEqual({
      tenant: ['org_id'],
      user: ['email'],
      roles: ['realm_access', 'roles'],
      scopes: ['scp'],
    })
    expect(issuer?.clockSkewMs).toBe(10_000)
    expect(policy.issuers.get('https://id.globex.example')?.keys).toMatchObject({ kind: 'jwks' })
    expect(policy.issuers.get('internal')?.keys).toEqual({ kind: 'secret', secret: env.INTERNAL_SECRET })
  })

  it('says how failures are limited, what backends are told, and how it is signed', () => {
    const { clientCertificate, failedCredentials, headers, token } = policy.identity
    expect(clientCertificate).toEqual({ forwarded: true })
    expect(failedCredentials).toEqual({ tokens: 10, periodMs: 60_000, burst: 20 })
    expect(Object.fromEntries(headers)).toEqual({
      'x-tenant-region': { kind: 'attribute', name: 'region' },
      'x-user-email': { kind: 'claim', path: ['email'] },
      'x-user-org': { kind: 'claim', path: ['org', 'name'] },
    })
    expect(token).toEqual({
      issuer: 'https://gateway.example',
      audience: 'backends',
      lifetimeMs: 120_000,
      algorithm: 'EdDSA',
      keys: [],
    })
  })

  it('has issuers by keys, by introspection and by the gateway', () => {
    expect(policy.issuers.get('https://id.example.com')).toMatchObject({
      keys: { kind: 'url', url: 'https://id.example.com/.well-known/jwks.json', allowPrivateAddresses: true },
      tokenType: 'at+jwt',
    })
    expect(policy.issuers.get('https://sso.example.com')).toMatchObject({
      keys: {
        kind: 'introspection',
        url: 'https://sso.example.com/introspect',
        allowPrivateAddresses: false,
        clientId: 'gateway',
        clientSecret: env.INTERNAL_SECRET,
        clientAuth: 'post',
        cacheMs: 30_000,
      },
      audiences: [],
      algorithms: [],
      tokenType: undefined,
    })
    expect(policy.issuers.get('https://mesh.example.com')?.keys).toEqual({ kind: 'gateway' })
  })

  it('knows both keys of a rotation by one id, and certificates by their names', () => {
    const [old, next] = ['a', 'b'].map((digit) => policy.directory.apiKeyByHash(digit.repeat(64)))
    expect([old?.id, next?.id, next?.expiresAt]).toEqual(['ci', 'ci', undefined])
    const spiffe = { uris: ['spiffe://acme.example/ns/prod/sa/batch'], dnsNames: [] }
    expect(policy.certificates.match(spiffe)).toEqual({
      id: 'batch',
      tenant: 'acme',
      scopes: ['orders:read'],
      roles: ['builder'],
      name: { kind: 'uri', pattern: 'spiffe://acme.example/ns/*/sa/batch' },
    })
    expect(policy.certificates.match({ uris: [], dnsNames: ['w1.batch.acme.example'] })).toMatchObject({
      id: 'workers',
    })
    const subject = 'CN=desk,OU=Sales,O=Acme\\, Inc.'
    expect(policy.certificates.match({ uris: [], dnsNames: [], subject })).toMatchObject({ id: 'desk' })
  })

  it('has limits of credentials by their ids', () => {
    const limits = policy.directory.byId('acme')?.credentialLimits
    expect([...(limits?.keys() ?? [])]).toEqual(['ci', 'batch'])
    expect(limits?.get('ci')).toEqual([
      { kind: 'quota', name: 'builds', amount: 500, period: { count: 1, unit: 'day' }, by: ['tenant'], expose: true },
    ])
    expect(Object.isFrozen(limits?.get('batch')?.[0]?.by)).toBe(true)
    expect(policy.directory.byId('globex')).not.toHaveProperty('credentialLimits')
  })

  it('has stages and routes that only observe', () => {
    expect([...policy.shadow]).toEqual(['limits'])
    expect(policy.routes.routes.map(({ mode }) => mode)).toEqual(['enforce', 'enforce', 'enforce', 'enforce', 'shadow'])
    expect(policy.routes.routes.at(-1)?.match).toMatchObject({ path: '/{version}/reports/**', versions: ['v1', 'v2'] })
  })

  it('is frozen all the way down', () => {
    const acme = policy.directory.byId('acme')
    for (const part of [policy, policy.identity, acme, acme?.limits, acme?.limits[0]?.by, policy.routes.routes[0]]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('has the same version when nothing has changed, and another for each file that has', () => {
    expect(policy.version).toMatch(/^[0-9a-f]{12}$/)
    expect(completePolicy().version).toBe(policy.version)
    const text = readFileSync(complete, 'utf8')
    const read = (flags: string) =>
      parsePolicy(text, {
        file: complete,
        env,
        readFile: (path) => ({ text: path.endsWith('flags.json') ? flags : readFileSync(path, 'utf8') }),
      })
    const flags = readFileSync(join(complete, '..', 'flags.json'), 'utf8')
    const versions = [flags, `${flags}\n`].map(read).map((result) => result.ok && result.parts.head.version)
    expect(versions[0]).toBe(policy.version)
    expect(versions[1]).not.toBe(policy.version)
  })

  it('shares one list of limits between the tenants of a plan', () => {
    const loaded = parse(withTenants('  a: { plan: free }\n  b: { plan: free }\n'))
    expect(loaded.ok && loaded.parts.tenants.map(({ tenant }) => tenant.limits)).toEqual([undefined, undefined])
  })
})

describe('a policy that says nothing of it', () => {
  const { identity, shadow } = (() => {
    const loaded = parse(withTenants('  a: { plan: free }\n'))
    if (!loaded.ok) throw new Error('refused')
    return loaded.parts.head
  })()

  it('looks at API keys, tokens and hosts, and believes no certificate that is handed on', () => {
    expect(identity.sources).toEqual(['apiKey', 'jwt', 'host'])
    expect(identity.clientCertificate).toEqual({ forwarded: false })
  })

  it('limits failures to five a second, fifty at once, and tells and signs nothing more', () => {
    expect(identity.failedCredentials).toEqual({ tokens: 5, periodMs: 1000, burst: 50 })
    expect([identity.headers.size, identity.token, shadow.length]).toEqual([0, undefined, 0])
  })

  it('limits no failures where it says so', () => {
    const loaded = parse(`identity: { failedCredentials: off }\n${withTenants('  a: { plan: free }\n')}`)
    expect(loaded.ok && loaded.parts.head.identity.failedCredentials).toBe(undefined)
  })
})

describe('problems', () => {
  it('are all told at once, in the order of the file', () => {
    const text = withTenants('  a: { plan: free, hosts: x }\n  b: { plan: free, timezone: Nowhere }\n')
    expect(problemsOf(text.replace('version: 1', 'version: 2'))).toEqual([
      '1: version: is not a value that is known here',
      '5: tenants.a.hosts: is a text',
      '6: tenants.b.timezone: is not an IANA time zone',
    ])
  })

  it('are fifty at most', () => {
    const tenants = Array.from({ length: 1000 }, (_, index) => `  t${index}: { plan: nowhere }\n`)
    expect(problemsOf(withTenants(tenants.join('')))).toHaveLength(50)
  })

  it('stand behind an alias where the anchor is', () => {
    const text = withTenants('  a: &same\n    plan: free\n    hosts: [UPPER]\n  b: *same\n')
    expect(problemsOf(text)[0]).toBe('7: tenants.a.hosts[0]: is not a host name')
  })

  it('read as file:line:column: path: message; write … instead', () => {
    const problem = { file: 'p.yaml', line: 3, column: 5, path: 'tenants.acme', message: 'is a list', fix: 'a map' }
    expect(formatProblem(problem)).toBe('p.yaml:3:5: tenants.acme: is a list; write a map instead')
    expect(pathText(['tenants', 'a.b', 'apiKeys', 0])).toBe('tenants["a.b"].apiKeys[0]')
  })
})

describe('a hostile policy', () => {
  it('is refused when it is nested deeper than any stack', () => {
    expect(problemsOf(`version: ${'['.repeat(100_000)}`)).not.toEqual([])
  })

  it('is refused by its size before it is parsed', () => {
    expect(problemsOf(`version: 1\n# ${'x'.repeat(16 * 1024 * 1024)}`)).toEqual(['1: : is larger than 16 MB'])
  })

  it('is refused when it is too large, no file, or not there', () => {
    for (const [file, message] of [
      [process.execPath, 'is larger than 16 MB'],
      [packageRoot, 'is a folder'],
      ['/dev/zero', 'is not a regular file'],
      [join(packageRoot, 'no-such-policy.yaml'), 'does not exist'],
    ] as const) {
      const loaded = loadPolicy(file, {})
      expect(!loaded.ok && loaded.problems).toMatchObject([{ file, line: 1, column: 1, message }])
    }
  })

  it('is refused when it is not UTF-8', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tenantgate-')), 'policy.yaml')
    writeFileSync(file, Buffer.from('version: 1\nflags: \xff\xfe\n', 'latin1'))
    const loaded = loadPolicy(file, {})
    rmSync(join(file, '..'), { recursive: true })
    expect(!loaded.ok && loaded.problems).toMatchObject([{ message: 'is not UTF-8 text' }])
  })

  it('of more than 10 MB is read all the same when it is good, and its last line is checked', {
    timeout: 180_000,
  }, () => {
    const padding = 'x'.repeat(1000)
    const tenant = (index: number) =>
      `  t${index}: { plan: free, hosts: [h${index}.example.com], attributes: { note: ${padding} } }\n`
    const tenants = Array.from({ length: 9800 }, (_, index) => tenant(index)).join('')
    const text = withTenants(tenants)
    expect(Buffer.byteLength(text)).toBeGreaterThan(10 * 1024 * 1024)
    const result = parse(text)
    expect(result.ok && result.parts.tenants.length).toBe(9800)
    expect(problemsOf(`${text}  last: { plan: free, hosts: [h0.example.com] }\n`)).toEqual([
      '9805: tenants.last.hosts[0]: this host is taken already (see line 5)',
    ])
  })
})

describe('limits and calendars', () => {
  const text = `
version: 1
plans:
  pro:
    limits:
      - { name: steady, rate: 20/s, burst: 1, delay: 500ms }
      - { name: quarterly, quota: 1000 per 3mo }
      - { name: traffic, quota: 5000000/month, unit: content-bytes }
      - { name: plain, quota: 7/week, unit: requests }
tenants:
  acme: { plan: pro, timezone: Europe/Berlin, billingDay: 31, billingMonth: 4 }
  globex: { plan: pro, timezone: Europe/Berlin, billingDay: 31, billingMonth: 4 }
  initech: { plan: pro, limits: [{ name: quarterly, quota: 5 per 3mo }] }
routes: [{ name: look, match: { path: /look }, cost: 0 }]
`
  const policyOf = () => {
    const parsed = parse(text)
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
    return compilePolicy(parsed.parts)
  }

  it('become delays, periods and units; requests are the unit that need not be named', () => {
    const named = { by: ['tenant'], expose: true }
    expect(policyOf().directory.byId('acme')?.limits).toEqual([
      { ...named, kind: 'rate', name: 'steady', tokens: 20, periodMs: 1000, burst: 1, weighted: false, delayMs: 500 },
      { ...named, kind: 'quota', name: 'quarterly', amount: 1000, period: { count: 3, unit: 'month' } },
      {
        ...named,
        kind: 'quota',
        name: 'traffic',
        unit: 'content-bytes',
        amount: 5_000_000,
        period: { count: 1, unit: 'month' },
      },
      { ...named, kind: 'quota', name: 'plain', amount: 7, period: { count: 1, unit: 'week' } },
    ])
  })

  it('say where months and years begin, by default on 1 January, and are one object where they are equal', () => {
    const { directory } = policyOf()
    const [acme, globex, initech] = ['acme', 'globex', 'initech'].map((id) => directory.byId(id))
    expect(acme?.calendar).toEqual({ timeZone: 'Europe/Berlin', billingDay: 31, billingMonth: 4 })
    expect(globex?.calendar).toBe(acme?.calendar)
    expect(initech?.calendar).toEqual({ timeZone: 'UTC', billingDay: 1, billingMonth: 1 })
    const [ofPlan, own] = [acme, initech].map((tenant) => tenant?.limits.find(({ name }) => name === 'quarterly'))
    expect(ofPlan?.kind === 'quota' && ofPlan.period).toBe(own?.kind === 'quota' && own.period)
  })

  it('let a route cost nothing', () => {
    expect(policyOf().routes.routes[0]?.cost).toBe(0)
  })

  it('of another unit than requests know no cost that could be too high', () => {
    const withCost = text.replace('cost: 0', 'cost: 6').replace('5 per 3mo', '6 per 3mo')
    expect(problemsOf(withCost.replace('5000000/month', '5/month'))).toEqual([])
    expect(problemsOf(withCost.replace('7/week', '5/week'))).toEqual([
      '14: routes[0].cost: a cost of 6 is above the quota 5 of limit `plain`, so that the route could never be used',
    ])
  })
})
