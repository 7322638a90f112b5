/** The listener for administration, over the live policy and the records. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { createAdminServer } from '../../admin/server.ts'
import { nearest } from '../../policy/nearest.ts'
import type { Gate } from './gate.ts'
import type { ServiceParts } from './parts.ts'

/** Not listening yet. Every change is told to the audit, and to the log, which is there where no audit is. */
export function createAdministration(token: string, gate: Gate, parts: ServiceParts): Server {
  const { ledger, uses, usage, limits, now, log, audit, metrics } = parts
  return createAdminServer({
    token,
    policy: () => gate.policy,
    flags: () => gate.flags(),
    ledger,
    lastUsed: (hashes) => uses.lastUsed(hashes),
    limits,
    usage,
    explain: (request) => gate.explain(request),
    candidate: parts.candidate,
    nearest,
    randomBytes,
    now,
    onEvent(event) {
      log.administered(event)
      audit.administered(event)
    },
    onFault(fault) {
      metrics.fault()
      log.fault('administration failed', fault)
    },
  })
}
