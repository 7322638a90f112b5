/** Records of credentials that end with the process: for those who revoke without a state file. */
import type { Ledger } from '../../core/credentials/records.ts'
import { createRecordIndex, MOST_RECORDS } from './credential-records.ts'

/** A ledger of nothing yet, bounded as a state file is. */
export function createMemoryLedger(): Ledger {
  const index = createRecordIndex()
  return {
    durable: false,
    records: index.records,
    issuedKeys: () => index.issuedKeys(),
    revocations: () => index.revocations(),
    async add(plan) {
      const records = plan()
      if (index.size + records.length > MOST_RECORDS) return `there are ${MOST_RECORDS} records already`
      for (const record of records) index.add(record)
      return undefined
    },
  }
}
