/** What was recorded of credentials is asked of every request, and no name is mistaken for another. */
import { describe, expect, it } from 'vitest'
import type { Principal, TokenMarks } from '../../../core/credentials/principal.ts'
import type { AdminRecord } from '../../../core/credentials/records.ts'
import { createRecordIndex } from '../../../stores/records/credential-records.ts'
import { NOON } from '../../support/gate.ts'

const indexOf = (...records: AdminRecord[]) => {
  const index = createRecordIndex()
  for (const record of records) index.add(record)
  return index.records
}

const holder = (kind: Principal['kind'], credential: string): Principal => ({ kind, credential, roles: [], scopes: [] })
const tokenOf = (token: Partial<TokenMarks>, credential = 'u1'): Principal => ({
  ...holder('jwt', credential),
  token: { issuer: 'https://id.example', ...token },
})

describe('a credential of the policy', () => {
  const records = indexOf({ kind: 'revoked-credential', tenant: 'acme', id: 'ci' })

  it.each(['apiKey', 'clientCertificate'] as const)('is revoked by its id, in its tenant alone: %s', (kind) => {
    expect(records.isRevoked(holder(kind, 'ci'), 'acme')).toBe(true)
    expect(records.isRevoked(holder(kind, 'ci'), 'globex')).toBe(false)
    expect(records.isRevoked(holder(kind, 'cd'), 'acme')).toBe(false)
    expect(records.isRevoked(holder(kind, 'ci'), undefined)).toBe(false)
  })

  it('is no token whose client has the same name', () => {
    expect(records.isRevoked(tokenOf({}, 'ci'), 'acme')).toBe(false)
  })
})

describe('a token', () => {
  it('is revoked by its id, of one issuer or of any', () => {
    const ofOne = indexOf({ kind: 'revoked-token', issuer: 'https://id.example', jti: 'j1' })
    expect(ofOne.isRevoked(tokenOf({ id: 'j1' }), 'acme')).toBe(true)
    expect(ofOne.isRevoked(tokenOf({ id: 'j1', issuer: 'https://other.example' }), 'acme')).toBe(false)
    expect(ofOne.isRevoked(tokenOf({ id: 'j2' }), 'acme')).toBe(false)
    expect(ofOne.isRevoked(tokenOf({}), 'acme')).toBe(false)
    const ofAny = indexOf({ kind: 'revoked-token', jti: 'j1' })
    expect(ofAny.isRevoked(tokenOf({ id: 'j1', issuer: 'https://other.example' }), 'acme')).toBe(true)
  })

  it.each([
    ['its subject', { kind: 'revoked-subject', subject: 's1', before: NOON }],
    [
      'its subject at its issuer',
      { kind: 'revoked-subject', issuer: 'https://id.example', subject: 's1', before: NOON },
    ],
    ['its tenant', { kind: 'revoked-tenant', tenant: 'acme', before: NOON }],
  ] as const)('is revoked with %s when it is older than that, or does not say how old it is', (_what, record) => {
    const records = indexOf(record)
    const issued = (issuedAt?: number) => tokenOf({ subject: 's1', ...(issuedAt !== undefined && { issuedAt }) })
    expect(records.isRevoked(issued(NOON - 1), 'acme')).toBe(true)
    expect(records.isRevoked(issued(NOON), 'acme')).toBe(false)
    expect(records.isRevoked(issued(), 'acme')).toBe(true)
    const another = tokenOf({ subject: 's2', issuer: 'https://other.example', issuedAt: NOON - 1 })
    expect(records.isRevoked(another, 'globex')).toBe(false)
  })

  it('of a revoked tenant is refused whatever marks it lacks; keys of the tenant stay', () => {
    const records = indexOf({ kind: 'revoked-tenant', tenant: 'acme', before: NOON })
    expect(records.isRevoked(holder('opaqueToken', 'u1'), 'acme')).toBe(true)
    expect(records.isRevoked(holder('apiKey', 'ci'), 'acme')).toBe(false)
  })

  it('stays revoked when an earlier time is recorded later', () => {
    const at = (before: number) => ({ kind: 'revoked-subject', subject: 's1', before }) as const
    expect(indexOf(at(NOON), at(NOON - 10)).isRevoked(tokenOf({ subject: 's1', issuedAt: NOON - 5 }), 'acme')).toBe(
      true,
    )
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('is not revoked by the name %s', (name) => {
    const records = indexOf({ kind: 'revoked-token', jti: 'j1' })
    expect(records.isRevoked(tokenOf({ id: name, subject: name, issuer: name }), name)).toBe(false)
    expect(records.issuedKey(name)).toBeUndefined()
    expect(records.replacedAt(name)).toBeUndefined()
  })
})

it('of two ends of one secret the earlier holds', () => {
  const records = indexOf({ kind: 'replaced', hash: 'h', at: NOON }, { kind: 'replaced', hash: 'h', at: NOON + 1 })
  expect(records.replacedAt('h')).toBe(NOON)
})

describe('a flag', () => {
  const switched = (flag: string, to: 'off' | 'on', at = NOON): AdminRecord => ({ kind: 'flag-switched', flag, to, at })
  const switchesOf = (...records: AdminRecord[]) => {
    const index = createRecordIndex()
    for (const record of records) index.add(record)
    return index
  }

  it('is off by the latest that is recorded of it, in whatever order it comes to be known', () => {
    const [off, on] = [switched('canary', 'off'), switched('canary', 'on', NOON + 1)]
    expect(switchesOf(off).switches.isOff('canary')).toBe(true)
    expect(switchesOf(off).switches.isOff('beta')).toBe(false)
    expect(switchesOf(off, on).switches.isOff('canary')).toBe(false)
    expect(switchesOf(on, off).switches.isOff('canary')).toBe(false)
    expect(switchesOf(off, on, switched('canary', 'off', NOON + 2)).switches.isOff('canary')).toBe(true)
  })

  it('of which two say something else at the same time is off', () => {
    const [off, on] = [switched('canary', 'off'), switched('canary', 'on')]
    expect([switchesOf(off, on), switchesOf(on, off)].map(({ switches }) => switches.isOff('canary'))).toEqual([
      true,
      true,
    ])
  })

  it('is told once, as it stands now, and what came before that is no loss', () => {
    const [off, on] = [switched('canary', 'off'), switched('canary', 'on', NOON + 1)]
    const index = switchesOf(off, on, switched('beta', 'off'))
    expect([...index.all()]).toEqual([on, switched('beta', 'off')])
    expect([index.covers(off), index.covers(on), index.covers(switched('canary', 'off', NOON + 2))]).toEqual([
      true,
      true,
      false,
    ])
  })

  it.each(['__proto__', 'constructor', 'toString'])('is not off by the name %s', (name) => {
    const { switches } = switchesOf(switched('canary', 'off'))
    expect([switches.isOff(name), switches.latest(name)]).toEqual([false, undefined])
  })
})
