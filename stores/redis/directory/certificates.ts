/** The certificates of all tenants of one import, held whole, since patterns cannot be looked up; each tenant's read again when it has changed. */
import { compileCertificates } from '../../../core/credentials/certificates/client-certificate.ts'
import type { CertificateEntry, CertificateMatcher } from '../../../core/policy.ts'
import type { RedisConnection } from '../connection.ts'
import type { Followed } from '../following.ts'
import { readAllCertificates, readCertificatesOf } from './lookups.ts'

export interface HeldCertificates extends CertificateMatcher, Followed {
  /** Reads all of them. Rejects where they cannot be read. */
  load(): Promise<void>
  entries(): Iterable<CertificateEntry>
}

/** None, until `load` was called. What cannot be read later leaves what was known, and is read again soon. */
export function createHeldCertificates(
  connection: RedisConnection,
  generation: number,
  onProblem: (problem: string) => void,
): HeldCertificates {
  let byTenant = new Map<string, readonly CertificateEntry[]>()
  let matcher = compileCertificates([])
  const due = new Set<string>()
  let isAllDue = true
  let isReading = false

  const entries = () => [...byTenant.values()].flat()

  async function load(): Promise<void> {
    isAllDue = false
    due.clear()
    try {
      byTenant = await readAllCertificates(connection, generation)
      matcher = compileCertificates(entries())
    } catch (error) {
      isAllDue = true
      throw error
    }
  }

  async function reload(tenant: string): Promise<void> {
    due.delete(tenant)
    try {
      const own = await readCertificatesOf(connection, generation, tenant)
      // most changes of tenants are of something else
      if (JSON.stringify(own) === JSON.stringify(byTenant.get(tenant) ?? [])) return
      if (own.length === 0) byTenant.delete(tenant)
      else byTenant.set(tenant, own)
      matcher = compileCertificates(entries())
    } catch (error) {
      due.add(tenant)
      throw error
    }
  }

  async function readDue(): Promise<void> {
    if (isReading) return
    isReading = true
    try {
      while (isAllDue || due.size > 0) {
        const [tenant] = due
        if (isAllDue) await load()
        else if (tenant !== undefined) await reload(tenant)
      }
    } catch (error) {
      if (connection.isUp() && error instanceof Error) onProblem(error.message)
    } finally {
      isReading = false
    }
  }

  return {
    match: (certificate) => matcher.match(certificate),
    entries,
    load,
    tenantChanged(id) {
      due.add(id)
      void readDue()
    },
    keyChanged() {},
    recheck() {
      isAllDue = true
      void readDue()
    },
    confirm: () => void readDue(),
  }
}
