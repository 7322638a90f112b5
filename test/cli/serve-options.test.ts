/** The options of `serve`: defaults, the environment, and words for what is wrong. */
import { describe, expect, it } from 'vitest'
import { readServeOptions } from '../../cli/serve-options.ts'

const read = (argv: string[], env: Record<string, string> = {}) => readServeOptions(argv, env)

describe('the options of serve', () => {
  it('have the defaults of the contract', () => {
    expect(read(['--policy', 'p.yaml'])).toEqual({
      ok: true,
      options: {
        policy: { kind: 'file', file: 'p.yaml' },
        listen: [{ kind: 'tcp', host: '127.0.0.1', port: 9001 }],
        http: { kind: 'tcp', host: '127.0.0.1', port: 9002 },
        drainTimeoutMs: 10_000,
        logLevel: 'info',
      },
    })
  })

  it('take several addresses, in order, and no probes when http is off', () => {
    const argv = ['--policy', 'p', '--listen', 'unix:/run/a.sock', '--listen', '[::1]:7', '--http', 'off']
    expect(read(argv)).toMatchObject({
      options: {
        listen: [
          { kind: 'unix', path: '/run/a.sock' },
          { kind: 'tcp', host: '::1', port: 7 },
        ],
        http: undefined,
      },
    })
  })

  it('each have a twin in the environment, which the option beats', () => {
    const env = {
      TENANTGATE_POLICY: 'env.yaml',
      TENANTGATE_LISTEN: 'unix:/a.sock, localhost:1',
      TENANTGATE_HTTP: 'off',
      TENANTGATE_DRAIN_TIMEOUT: '1m',
      TENANTGATE_LOG_LEVEL: 'warn',
    }
    const listen = [
      { kind: 'unix', path: '/a.sock' },
      { kind: 'tcp', host: '127.0.0.1', port: 1 },
    ]
    const options = {
      policy: { kind: 'file', file: 'env.yaml' },
      listen,
      http: undefined,
      drainTimeoutMs: 60_000,
      logLevel: 'warn',
    }
    expect(read([], env)).toEqual({ ok: true, options })
    const beaten = ['--policy', 'own.yaml', '--drain-timeout=500ms', '--listen', '127.0.0.1:2']
    expect(read(beaten, env)).toMatchObject({
      options: {
        policy: { kind: 'file', file: 'own.yaml' },
        drainTimeoutMs: 500,
        listen: [{ port: 2 }],
        logLevel: 'warn',
      },
    })
  })

  it('take a Redis in place of a file, also from the environment', () => {
    const place = { kind: 'single', nodes: [{ host: 'redis.example', port: 6379 }], prefix: 'tenantgate' }
    expect(read(['--policy', 'redis://redis.example'])).toMatchObject({ options: { policy: { kind: 'redis', place } } })
    const env = { TENANTGATE_POLICY: 'redis://redis.example', TENANTGATE_REDIS_PASSWORD: 'not-a-secret' }
    const policy = { kind: 'redis', place: { ...place, password: 'not-a-secret' } }
    expect(read([], env)).toMatchObject({ options: { policy } })
  })

  it('take a folder of ratelimit configuration, and that service’s own settings beside it', () => {
    const env = { TENANTGATE_RATELIMIT_CONFIG: 'limits', SHADOW_MODE: 'true' }
    const settings = { headers: false, shadow: true, quota: false, sparing: false, metadata: false }
    const ratelimit = { folder: 'limits', mergeDomains: false, settings }
    expect(read(['--policy', 'p'], env)).toMatchObject({ options: { ratelimit } })
    expect(read(['--policy', 'p', '--ratelimit-config', 'own'], env)).toMatchObject({
      options: { ratelimit: { folder: 'own' } },
    })
    expect(read(['--policy', 'p'], { SHADOW_MODE: 'maybe' })).toMatchObject({ ok: true })
    expect(read(['--policy', 'p'], { ...env, SHADOW_MODE: 'maybe' })).toEqual({
      ok: false,
      wrong: 'use',
      problem: "serve: SHADOW_MODE is true or false, not 'maybe'",
    })
  })

  it.each([
    [[], 'Give --policy FILE'],
    [['--polcy', 'p'], 'unknown option --polcy; did you mean --policy?'],
    [['--policy'], "'--policy <value>' argument missing"],
    [['p.yaml'], "'p.yaml' is not an option; the policy is given by --policy FILE"],
    [['--policy', 'p', '--drain-timeout', 'soon'], '--drain-timeout is a time such as 10s or 500ms'],
    [['--policy', 'p', '--log-level', 'all'], '--log-level is one of debug, info, warn, error'],
    [['--policy', 'p', '--admin', '127.0.0.1:9003'], 'the administration needs a token'],
    [['--policy', 'p', '--admin', '127.0.0.1:9003', '--admin-token-file', '/no/such'], '/no/such has none'],
    [['--policy', 'redi://h'], '--policy is a file or redis://'],
    [['--policy', 'redis://'], '--policy is not the address of a Redis'],
    [['--policy', 'redis://:hunter2@h:x'], '--policy has a host that is none'],
    [['--policy', 'redis://localhost', '--state', 's'], '--state: issued keys and revocations stand in Redis'],
    [['--policy', 'p', '--redis-password-file', 'f'], '--redis-password-file needs --policy redis://…'],
    [['--policy', 'redis://h', '--redis-password-file', '/no/such'], '--redis-password-file: /no/such cannot be read'],
  ])('wrong use is told: %j', (argv, words) => {
    expect(read(argv)).toEqual({ ok: false, wrong: 'use', problem: expect.stringContaining(words) })
  })

  it.each([
    ['example.com:9001', 'does not name an IP address'],
    ['127.0.0.1.example.com:9001', 'does not name an IP address'],
    ['unix:relative.sock', 'not an absolute path'],
    [`unix:/${'x'.repeat(100)}`, 'too long'],
    ['127.0.0.1', 'is not an address'],
    ['127.0.0.1:70000', 'is not an address'],
    ['9001', 'is not an address'],
    ['', 'is not an address'],
  ])('an address that cannot be had is told for both listeners: %s', (address, words) => {
    for (const option of ['--listen', '--http']) {
      const answer = read(['--policy', 'p', option, address])
      expect(answer).toEqual({ ok: false, wrong: 'input', problem: expect.stringContaining(words) })
    }
  })

  it('administration has a listener only with a token, and records and audit only where they are wanted', () => {
    const token = 't'.repeat(32)
    const env = { TENANTGATE_ADMIN_TOKEN: token, TENANTGATE_STATE: 's.jsonl' }
    expect(read(['--policy', 'p'], env)).toMatchObject({
      options: { admin: undefined, audit: undefined, state: 's.jsonl' },
    })
    expect(read(['--policy', 'p', '--admin', '127.0.0.1:9003', '--audit', 'a.log'], env)).toMatchObject({
      options: { admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 9003 }, token }, audit: 'a.log' },
    })
  })

  it.each([
    ['short', '32 characters at least'],
    [`${'t'.repeat(40)} x`, 'visible ASCII'],
  ])('a token that could be guessed, or not be sent, is refused and not told: %s', (token, words) => {
    const answer = read(['--policy', 'p', '--admin', '127.0.0.1:9003'], { TENANTGATE_ADMIN_TOKEN: token })
    expect(answer).toEqual({ ok: false, wrong: 'use', problem: expect.stringContaining(words) })
    expect(JSON.stringify(answer)).not.toContain(token)
  })

  it.each(['0.0.0.0:9003', '[::]:9003', '192.0.2.1:9003', 'gateway.example:9003'])(
    'administration is for this machine alone: %s',
    (address) => {
      const env = { TENANTGATE_ADMIN_TOKEN: 't'.repeat(32) }
      expect(read(['--policy', 'p', '--admin', address], env)).toMatchObject({ ok: false, wrong: 'input' })
    },
  )

  it.each(['0.0.0.0:9001', '[::]:9001', '192.0.2.1:9001'])(
    'beyond loopback there are probes and metrics, and no gRPC without client certificates: %s',
    (address) => {
      const words = expect.stringContaining('TLS client certificates')
      expect(read(['--policy', 'p', '--listen', address])).toEqual({ ok: false, wrong: 'input', problem: words })
      expect(read(['--policy', 'p', '--http', address])).toMatchObject({ ok: true, options: { http: { kind: 'tcp' } } })
    },
  )
})
