/** What stands around a gate in a process that serves: the clock, the stores, and where it is told and counted. */
import { performance } from 'node:perf_hooks'
import type { Ledger } from '../../core/credentials/records.ts'
import { createFailedCredentials } from '../../stores/failed-credentials.ts'
import { createKeyUses, type LastUses } from '../../stores/key-uses.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createMemoryLedger } from '../../stores/records/memory-ledger.ts'
import { createFetchKeys } from '../../stores/remote/fetch-keys.ts'
import { createIntrospect } from '../../stores/remote/introspect.ts'
import { createThrottle, type Places } from '../../stores/throttle.ts'
import { type Audit, createAudit, NO_AUDIT } from '../../telemetry/audit.ts'
import { auditToStdout, openAuditFile } from '../../telemetry/audit-file.ts'
import { createStdoutLog, type Log, type LogLevel } from '../../telemetry/log.ts'
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts'
import { type LineSink, openStdout } from '../../telemetry/stdout.ts'
import type { FollowParts } from './follow-policy.ts'
import { type FollowedState, followState } from './follow-state.ts'
import { createOwnSigningKeys } from './own-signing-keys.ts'
import { tellOfIssuers } from './tell-of-issuers.ts'

export interface ServiceParts extends FollowParts {
  readonly audit: Audit
  readonly ledger: Ledger
  readonly uses: LastUses
  /** The state file; undefined where records end with the process. */
  readonly state: FollowedState | undefined
}

export interface PartsOptions {
  readonly logLevel: LogLevel
  /** Path of the state file; undefined for none. */
  readonly state: string | undefined
  /** Path of the audit, or `stdout`; undefined for none. */
  readonly audit: string | undefined
  /** How many requests may wait for limits that delay. */
  readonly places?: Places
}

export type OpenParts =
  | { readonly ok: true; readonly parts: ServiceParts }
  | { readonly ok: false; readonly problem: string }

/** Opens what a service writes to and reads its records; limits are kept in this process's memory. */
export async function openParts(options: PartsOptions, isTerminal: boolean): Promise<OpenParts> {
  const stdout = openStdout()
  const log = createStdoutLog(options.logLevel, isTerminal, stdout)
  const metrics = createMetrics(Date.now)
  const audit = openAudit(options.audit, { stdout, log, metrics })
  if (!audit.ok) return { ok: false, problem: `--audit: ${audit.problem}` }
  const state = options.state === undefined ? undefined : await followState(options.state, log, Date.now)
  if (state?.ok === false) return { ok: false, problem: `--state: ${state.problem}` }
  if (state) metrics.addState(state.followed.state)
  const ledger = state?.followed.state ?? createMemoryLedger()
  const uses = createKeyUses()
  const clocks = { now: Date.now, elapsed: () => performance.now() }
  const throttle = createThrottle({
    ...clocks,
    onDelayed: metrics.delayed,
    ...(options.places && { places: options.places }),
  })
  metrics.addThrottle(throttle)
  const parts: ServiceParts = {
    log,
    metrics,
    audit: audit.audit,
    ledger,
    uses,
    state: state?.followed,
    limits: createMemoryLimits(),
    throttle,
    credentials: {
      fetchKeys: tellOfIssuers(createFetchKeys(), log),
      introspect: createIntrospect(),
      failures: createFailedCredentials(),
      records: ledger.records,
      uses,
    },
    signingKey: createOwnSigningKeys(log),
    ...clocks,
  }
  return { ok: true, parts }
}

type OpenAudit = { readonly ok: true; readonly audit: Audit } | { readonly ok: false; readonly problem: string }

function openAudit(
  to: string | undefined,
  { stdout, log, metrics }: { readonly stdout: LineSink; readonly log: Log; readonly metrics: Metrics },
): OpenAudit {
  if (to === undefined) return { ok: true, audit: NO_AUDIT }
  const opened =
    to === 'stdout'
      ? { ok: true as const, sink: auditToStdout(stdout) }
      : openAuditFile(to, (code) => log.auditFailing(code))
  if (!opened.ok) return opened
  const audit = createAudit(opened.sink, Date.now)
  metrics.addAudit(audit)
  return { ok: true, audit }
}
