/** What revocation refuses, whatever kind of credential is shown; and what is noted of API keys. */
import { describe, expect, it } from 'vitest'
import { type CredentialRecords, NO_RECORDS } from '../../../core/credentials/records.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { createRecordIndex } from '../../../stores/records/credential-records.ts'
import { NOON } from '../../support/gate.ts'
import { apiKey, bearer, CERTIFICATE, expired, openGate, own, token } from './strict-gate.ts'

describe('an API key', () => {
  it('is noted as used by its hash when it opens something', async () => {
    const used: unknown[] = []
    const gate = openGate({ uses: { used: (hash, now) => used.push([`sha256:${hash}`, now]) } })
    expect((await gate.ask(apiKey(own.key))).reason).toBe('allowed')
    expect((await gate.ask(apiKey(expired.key))).reason).toBe('expired_credential')
    expect(used).toEqual([[own.hash, NOON]])
  })

  it('that has expired is told to logs by tenant and id', async () => {
    expect(await openGate().ask(apiKey(expired.key))).toMatchObject({ tenant: 'acme', credential: 'expired' })
  })
})

describe('what the records say is revoked', () => {
  const shown: readonly (readonly [kind: string, () => Promise<Partial<GatewayRequest>>])[] = [
    ['apiKey', async () => ({ headers: apiKey(own.key) })],
    ['jwt', async () => ({ headers: bearer(await token()) })],
    ['opaqueToken', async () => ({ headers: bearer('good-opaque-token') })],
    ['clientCertificate', async () => ({ clientCertificate: CERTIFICATE })],
  ]

  it.each(shown)('is refused: %s, also one that was verified before', async (kind, request) => {
    let isRevoked = false
    const asked: unknown[] = []
    const records: CredentialRecords = {
      ...NO_RECORDS,
      isRevoked: (principal, tenant) => {
        asked.push([principal.kind, tenant])
        return isRevoked
      },
    }
    const gate = openGate({ records })
    const { headers = {}, ...more } = await request()
    expect((await gate.ask(headers, more)).reason).toBe('allowed')
    isRevoked = true
    expect((await gate.ask(headers, more)).reason).toBe('revoked_credential')
    expect(asked).toEqual([
      [kind, 'acme'],
      [kind, 'acme'],
    ])
  })

  it.each(shown)('is told to logs by tenant and credential, and uses up nothing: %s', async (_, request) => {
    const used: string[] = []
    const records: CredentialRecords = { ...NO_RECORDS, isRevoked: () => true }
    const gate = openGate({ records, uses: { used: (hash) => used.push(hash) } })
    const { headers = {}, ...more } = await request()
    const refused = await gate.ask(headers, more)
    expect(refused).toMatchObject({ reason: 'revoked_credential', tenant: 'acme', credential: expect.any(String) })
    expect(used).toEqual([])
  })

  it('is refused beside another credential that is good', async () => {
    const records: CredentialRecords = { ...NO_RECORDS, isRevoked: ({ kind }) => kind === 'jwt' }
    const both = { ...apiKey(own.key), ...bearer(await token()) }
    expect((await openGate({ records }).ask(both)).reason).toBe('revoked_credential')
  })

  it('is a token by its own iat, also where that is a little in the future', async () => {
    const revokedBefore = (before: number) => {
      const index = createRecordIndex()
      index.add({ kind: 'revoked-subject', subject: 'ann', before })
      return openGate({ records: index.records })
    }
    const ahead = bearer(await token({ iat: NOON / 1000 + 4 }))
    expect((await revokedBefore(NOON + 4000).ask(ahead)).reason).toBe('allowed')
    expect((await revokedBefore(NOON + 4001).ask(ahead)).reason).toBe('revoked_credential')
  })

  it('is refused from the moment on at which another key has taken its place', async () => {
    const records: CredentialRecords = {
      ...NO_RECORDS,
      replacedAt: (hash) => (own.hash.endsWith(hash) ? NOON + 1000 : undefined),
    }
    const gate = openGate({ records })
    expect((await gate.ask(apiKey(own.key), {}, NOON + 999)).reason).toBe('allowed')
    expect((await gate.ask(apiKey(own.key), {}, NOON + 1000)).reason).toBe('expired_credential')
  })
})
