/** What stands in Redis of credentials is read as it was written, by whichever version. */
import { expect, it } from 'vitest'
import type { CertificateEntry } from '../../../core/policy.ts'
import {
  readCertificates,
  readIssued,
  readKey,
  writeCertificates,
  writeIssued,
  writeKey,
} from '../../../stores/redis/directory/stored.ts'
import { NOON } from '../../support/gate.ts'

/** More than a policy and the administration take now. */
const roles = Array.from({ length: 300 }, (_, index) => `r${index}`)
const rights = { tenant: 'acme', id: 'ci', roles, scopes: roles }

it('a key with more rights than one may be given now is read', () => {
  expect(readKey(writeKey(rights))).toEqual({ ok: true, value: rights })
  const issued = { kind: 'key', hash: 'a'.repeat(64), ...rights } as const
  expect(readIssued(writeIssued(issued, NOON))).toEqual({ ok: true, value: issued })
})

it('and so is a certificate', () => {
  const entry: CertificateEntry = { ...rights, name: { kind: 'dns', pattern: 'ci.acme.example' } }
  expect(readCertificates(writeCertificates([entry]))).toEqual({ ok: true, value: [entry] })
})
