/** Records that end with the process: bounded, and what was recorded is never forgotten for what comes later. */
import { expect, it } from 'vitest'
import type { AdminRecord } from '../../../core/credentials/records.ts'
import { createMemoryLedger } from '../../../stores/records/memory-ledger.ts'

const revoked = (id: string): AdminRecord => ({ kind: 'revoked-credential', tenant: 'acme', id })

it('records up to its bound; what is more is refused as a whole, and nothing is dropped for it', async () => {
  const ledger = createMemoryLedger(3)
  const isRevoked = (credential: string) =>
    ledger.records.isRevoked({ kind: 'apiKey', credential, roles: [], scopes: [] }, 'acme')
  expect(await ledger.add(() => [revoked('a'), revoked('b')])).toBeUndefined()
  expect(await ledger.add(() => [revoked('c'), revoked('d')])).toContain('3 records')
  expect(['a', 'b', 'c', 'd'].map(isRevoked)).toEqual([true, true, false, false])
  expect(await ledger.add(() => [revoked('c')])).toBeUndefined()
  expect(await ledger.add(() => [revoked('d')])).toContain('3 records')
  expect(['a', 'b', 'c', 'd'].map(isRevoked)).toEqual([true, true, true, false])
})
