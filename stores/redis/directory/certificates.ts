/** The certificates of all tenants of one import, held whole, since patterns cannot be looked up; each tenant's read again when it has changed. */
import { compileCertificates } from '../../../core/credentials/certificates/client-certificate.ts'
import { type CertificateEntry, type CertificateMatcher, UNAVAILABLE } from '../../../core/policy.ts'
import type { RedisConnection } from '../connection.ts'
import { storeFailure } from '../failure.ts'
import type { Followed } from '../follow-directory.ts'
import { readAllCertificates, readCertificatesOf } from './lookups.ts'

export interface HeldCertificates extends CertificateMatcher, Followed {
  /** Reads all of them. Rejects where they cannot be read. */
  load(): Promise<void>
  entries(): Iterable<CertificateEntry>
}

export interface HeldCertificatesParts {
  readonly connection: RedisConnection
  /** The import. */
  readonly generation: number
  /** For how long what is known lets anybody in once it can no longer be brought up to date, in ms. */
  readonly staleForMs: number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly onProblem: (problem: string) => void
}

/** None, until `load` was called. What cannot be read later leaves what was known, for a time, and is read again soon. */
export function createHeldCertificates(parts: HeldCertificatesParts): HeldCertificates {
  const { connection, generation, staleForMs, elapsed, onProblem } = parts
  const held = createByTenant()
  const due = new Set<string>()
  let isAllDue = true
  const isDue = () => isAllDue || due.size > 0
  let isReading = false
  const tellProblem = onceEach(onProblem)
  let currentAt = Number.NEGATIVE_INFINITY

  /** False where the import is gone, which leaves what was known: another one will take its place. */
  async function readAll(): Promise<boolean> {
    isAllDue = false
    due.clear()
    const askedAt = elapsed()
    try {
      const all = await readAllCertificates(connection, generation, onProblem)
      if (all) held.hold(all)
      if (all) currentAt = Math.max(currentAt, askedAt)
      return all !== undefined
    } catch (error) {
      isAllDue = true
      throw error
    }
  }

  async function reload(tenant: string): Promise<void> {
    due.delete(tenant)
    try {
      const own = await readCertificatesOf(connection, generation, tenant, onProblem)
      if (own) held.holdOf(tenant, own)
    } catch (error) {
      due.add(tenant)
      throw error
    }
  }

  async function readDue(): Promise<void> {
    if (isReading) return
    isReading = true
    try {
      while (isDue()) {
        const [tenant] = due
        await (isAllDue || tenant === undefined ? readAll() : reload(tenant))
      }
      tellProblem(undefined)
    } catch (error) {
      if (connection.isUp() && error instanceof Error) tellProblem(error.message)
    } finally {
      isReading = false
    }
  }

  return {
    match: (certificate) => (elapsed() < currentAt + staleForMs ? held.match(certificate) : UNAVAILABLE),
    entries: held.entries,
    async load() {
      // what changes meanwhile is read afterwards, so that the older does not take the place of the newer
      isReading = true
      const isThere = await readAll().finally(() => {
        isReading = false
      })
      if (!isThere) throw storeFailure(new Error('the import is not there any more'))
      void readDue()
    },
    tenantChanged(id) {
      due.add(id)
      void readDue()
    },
    keyChanged() {},
    recheck() {
      isAllDue = true
      void readDue()
    },
    confirm(at) {
      if (!isDue() && !isReading) currentAt = Math.max(currentAt, at)
      else void readDue()
    },
  }
}

interface ByTenant {
  match: CertificateMatcher['match']
  entries(): Iterable<CertificateEntry>
  /** In the place of all that is held. */
  hold(all: ReadonlyMap<string, readonly CertificateEntry[]>): void
  holdOf(tenant: string, own: readonly CertificateEntry[]): void
}

/** Compiled anew with each change. */
function createByTenant(): ByTenant {
  let byTenant = new Map<string, readonly CertificateEntry[]>()
  let matcher = compileCertificates([])
  const entries = () => [...byTenant.values()].flat()
  return {
    match: (certificate) => matcher.match(certificate),
    entries,
    hold(all) {
      byTenant = new Map(all)
      matcher = compileCertificates(entries())
    },
    holdOf(tenant, own) {
      // most changes of tenants are of something else
      if (JSON.stringify(own) === JSON.stringify(byTenant.get(tenant) ?? [])) return
      if (own.length === 0) byTenant.delete(tenant)
      else byTenant.set(tenant, own)
      matcher = compileCertificates(entries())
    },
  }
}

/** The same is told again only after it was over, which is told as undefined. */
function onceEach(tell: (problem: string) => void): (problem: string | undefined) => void {
  let told: string | undefined
  return (problem) => {
    if (problem !== undefined && problem !== told) tell(problem)
    told = problem
  }
}
