/** Records that end with the process: for those who administer without a state file. */
import type { Ledger } from '../../core/credentials/records.ts'
import { createRecordIndex } from './credential-records.ts'

/** A ledger of nothing yet, bounded as a state file is. */
export function createMemoryLedger(mostRecords?: number): Ledger {
  const index = createRecordIndex(mostRecords)
  let last: Promise<unknown> = Promise.resolve()
  return {
    durable: false,
    records: index.records,
    switches: index.switches,
    issuedKeys: (tenant) => index.issuedKeys(tenant),
    revocations: () => index.revocations(),
    tenants: () => index.tenants(),
    add(plan) {
      const turn = last.then(async () => {
        const records = await plan()
        if (index.size + records.length > index.most) return `there may be ${index.most} records, and no more`
        for (const record of records) index.add(record)
        return undefined
      })
      last = turn.catch(() => {})
      return turn
    },
  }
}
