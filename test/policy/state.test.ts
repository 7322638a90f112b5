/** `state:` of a policy: where state lives, with which secrets, and for how long what is held of it is good. */
import { describe, expect, it } from 'vitest'
import type { Policy } from '../../core/policy.ts'
import { compilePolicy } from '../../policy/compile.ts'
import { parsePolicy } from '../../policy/parse.ts'
import { formatProblem } from '../../policy/problem.ts'

const PEM = '-----BEGIN CERTIFICATE-----\nnot a real one\n'
const FILES: Readonly<Record<string, string>> = {
  '/etc/gate/ca.pem': PEM,
  '/etc/gate/own.pem': PEM,
  '/run/word': 'a demo word\n',
}

function stateOf(state: string, tenantsElsewhere = false): Policy['state'] | string {
  const text = `version: 1
plans: { free: {} }
tenants: {}
routes: [{ name: all, match: { path: /** } }]
${state}`
  const parsed = parsePolicy(text, {
    file: '/etc/gate/policy.yaml',
    readFile: (path) => (FILES[path] === undefined ? { failure: 'does not exist' } : { text: FILES[path] }),
    env: { OWN_KEY: PEM, EMPTY: '' },
    tenantsElsewhere,
  })
  return parsed.ok ? compilePolicy(parsed.parts).state : parsed.problems.map(formatProblem).join('\n')
}

const TIMES = { cacheMs: 60_000, staleForMs: 600_000, timeoutMs: 10, lookupTimeoutMs: 100, leaseMs: 250 }

describe('state', () => {
  it('is memory where nothing is said', () => {
    expect(stateOf('')).toEqual({ store: 'memory', ...TIMES })
    expect(stateOf('state: { store: memory }')).toEqual({ store: 'memory', ...TIMES })
  })

  it('is a Redis by its address', () => {
    expect(stateOf('state: { store: "redis://cache:7000/2", prefix: "eu:gate" }')).toEqual({
      store: { kind: 'single', nodes: [{ host: 'cache', port: 7000 }], database: 2, prefix: 'eu:gate' },
      ...TIMES,
    })
    expect(stateOf('state: { store: "redis://cache?prefix=eu" }')).toMatchObject({ store: { prefix: 'eu' } })
  })

  it('has secrets and certificates from where the policy says that they are', () => {
    const text = `state:
  store: rediss+sentinel://one,two:26380/primary
  username: gate
  password: { file: /run/word }
  sentinelPassword: { file: /run/word }
  ca: ca.pem
  certificate: own.pem
  key: { env: OWN_KEY }`
    expect(stateOf(text)).toMatchObject({
      store: {
        kind: 'sentinel',
        primary: 'primary',
        prefix: 'tenantgate',
        username: 'gate',
        password: 'a demo word',
        sentinelPassword: 'a demo word',
        tls: { ca: PEM, certificate: PEM, key: PEM },
      },
    })
  })

  it('has times, and leases that may be off', () => {
    expect(stateOf('state: { cache: 5s, staleFor: 1h, timeout: 20ms, lookupTimeout: 1s, lease: 50ms }')).toEqual({
      store: 'memory',
      cacheMs: 5000,
      staleForMs: 3_600_000,
      timeoutMs: 20,
      lookupTimeoutMs: 1000,
      leaseMs: 50,
    })
    expect(stateOf('state: { lease: off }')).toMatchObject({ leaseMs: 0 })
  })

  it('refuses an empty secret, and a key that is none, where they stand', () => {
    expect(stateOf('state: { store: "redis://cache", password: { env: EMPTY } }')).toBe(
      '/etc/gate/policy.yaml:5:44: state.password: the secret there is empty',
    )
    const key = 'state: { store: "rediss://cache", certificate: own.pem, key: { file: /run/word } }'
    expect(stateOf(key)).toMatch(/state\.key: what stands there is not PEM$/)
  })

  it('leaves the address alone, with its secrets, where the policy itself is read from a store', () => {
    const text = 'state: { store: "redis://cache", password: { env: NOT_SET_HERE }, cache: 5s }'
    expect(stateOf(text)).toMatch(/NOT_SET_HERE is not set/)
    expect(stateOf(text, true)).toEqual({ store: 'memory', ...TIMES, cacheMs: 5000 })
  })
})
