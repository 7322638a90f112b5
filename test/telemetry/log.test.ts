/** The log names its fields; nothing a client sends gets in but by one of them. */
import { describe, expect, it } from 'vitest'
import { createLog, LOG_LEVELS, type LogLevel } from '../../telemetry/log.ts'
import { allowOf, denyOf, requestOf } from '../ext-authz/decisions.ts'
import { newKey } from '../support/gate.ts'

function logAt(level: LogLevel) {
  const lines: string[] = []
  const log = createLog(level, { write: (line: string) => void lines.push(line) })
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { log, lines, parsed }
}

const SECRET = 'tg_live_topsecret'
const request = requestOf({ 'x-api-key': SECRET, authorization: `Bearer ${SECRET}`, cookie: SECRET })

describe('decisions', () => {
  it('a denial is one JSON line that says who, what, why and how long', () => {
    const { log, parsed } = logAt('info')
    log.decided(denyOf({ request, tenant: 'acme', user: 'u1', credential: 'ci', route: 'orders' }), 0.1234)
    const [{ time, ...fields } = {}] = parsed()
    expect(Date.parse(String(time))).not.toBeNaN()
    expect(fields).toEqual({
      level: 'info',
      msg: 'decision',
      requestId: 'r-1',
      tenant: 'acme',
      user: 'u1',
      credential: 'ci',
      route: 'orders',
      decision: 'deny',
      reason: 'missing_credential',
      because: 'no credential was shown',
      latencyMs: 0.123,
    })
  })

  it('allows are written at debug only, and asking is enough to know', () => {
    const quiet = logAt('info')
    expect(quiet.log.decisions).toEqual({ allow: false, deny: true })
    quiet.log.decided(allowOf({ request }), 1)
    expect(quiet.lines).toEqual([])
    const loud = logAt('debug')
    expect(loud.log.decisions).toEqual({ allow: true, deny: true })
    loud.log.decided(allowOf({ request }), 1)
    expect(loud.parsed()).toMatchObject([{ level: 'debug', decision: 'allow' }])
    expect(logAt('warn').log.decisions).toEqual({ allow: false, deny: false })
  })

  it('an allow that is one only for shadow is written as a denial is, and says why it would be one', () => {
    const { log, parsed } = logAt('info')
    const shadow = [{ reason: 'insufficient_scope', because: "lacks scope 'write'" }] as const
    log.decided(allowOf({ request, tenant: 'acme', shadow }), 1)
    expect(parsed()).toMatchObject([{ level: 'info', decision: 'allow', reason: 'allowed', tenant: 'acme', shadow }])
  })

  it('no header of the request is ever in a line', () => {
    const { log, lines } = logAt('debug')
    log.decided(denyOf({ request }), 1)
    log.decided(allowOf({ request, tenant: 'acme' }), 1)
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain(SECRET)
  })

  it('a call of a ratelimit filter without room is one line: which limit, or which tenant and why', () => {
    const { log, parsed } = logAt('info')
    const { key } = newKey()
    log.overrun('edge', { mode: 'shadow', limit: 'edge.plan_free', hits: 3 })
    const refused = { mode: 'enforce', reason: 'unknown_tenant', because: 'the policy has no such tenant' } as const
    log.overrun('tenantgate', { ...refused, tenant: key })
    const lines = parsed().map(({ time, ...fields }) => fields)
    const line = { level: 'info', msg: 'over limit' }
    expect(lines).toEqual([
      { ...line, domain: 'edge', limit: 'edge.plan_free', mode: 'shadow', hits: 3 },
      { ...line, domain: 'tenantgate', ...refused, tenant: expect.not.stringContaining(key) },
    ])
  })

  it('no credential that somebody took for a name is in a line, whole or cut', () => {
    const { log, lines } = logAt('info')
    const { key } = newKey()
    const shadow = [{ reason: 'invalid_credential', because: `token '${key}'` }] as const
    for (const name of [key, `my_${key}`, `${'x'.repeat(2040)}/${key}`]) {
      log.decided(denyOf({ request: { ...request, id: name }, user: name, credential: name, because: name, shadow }), 1)
      const target = { id: name, jti: name, units: 1, by: { 'header:x': name } }
      log.administered({ action: 'a', outcome: 'refused', requestId: 'r', actor: key, address: 'unix', target })
    }
    expect(lines).toHaveLength(6)
    for (const line of lines) expect(line).not.toContain('tg_')
  })

  it('a line break in what a client names itself does not begin a second line', () => {
    const { log, lines } = logAt('info')
    log.decided(denyOf({ user: 'a\n{"level":"info"}' }), 1)
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1)
  })
})

describe('faults', () => {
  it('are told by kind, code and place, never by a text that may quote a client', () => {
    const { log, lines, parsed } = logAt('info')
    log.fault('a Check failed', Object.assign(new TypeError(`cannot read ${SECRET}`), { code: 'E_X', key: SECRET }))
    expect(parsed()).toMatchObject([{ level: 'error', msg: 'a Check failed', fault: 'TypeError', code: 'E_X' }])
    expect(lines.join('')).toContain('log.test.ts')
    expect(lines.join('')).not.toContain(SECRET)
  })

  it('a text that looks like a place in our code is still left out', () => {
    const { log, lines } = logAt('info')
    log.fault('a Check failed', new Error(`cannot read\n    at ${SECRET}`))
    expect(lines.join('')).toContain('log.test.ts')
    expect(lines.join('')).not.toContain(SECRET)
  })

  it('a text that is thrown is told by its type alone', () => {
    const { log, lines } = logAt('info')
    log.fault('a Check failed', SECRET)
    expect(lines.join('')).toContain('"fault":"string"')
    expect(lines.join('')).not.toContain(SECRET)
  })
})

it('a socket that is taken over is a warning of the one who takes it, and a word of the one who loses it', () => {
  const { log, parsed } = logAt('info')
  const address = 'unix:/run/kong.sock'
  log.socketTaken(address)
  log.socketLost(address)
  expect(parsed()).toMatchObject([
    { level: 'warn', address, msg: expect.stringContaining('was listening here') },
    { level: 'info', address, msg: expect.stringContaining('listens here now') },
  ])
})

it.each(LOG_LEVELS)('the line that says where we serve is written at level %s', (level) => {
  const { log, parsed } = logAt(level)
  log.listening({ grpc: ['127.0.0.1:1'], http: undefined }, 'v1')
  expect(parsed()).toMatchObject([{ msg: 'listening', grpc: ['127.0.0.1:1'], policy: 'v1' }])
})
