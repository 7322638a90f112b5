/** What stands around a gate whatever its policy says: the clock, the issuers, and where it is told and counted. */
import { performance } from 'node:perf_hooks'
import type { CandidateView } from '../../admin/candidate.ts'
import { createFailedCredentials } from '../../stores/failed-credentials.ts'
import { createFetchKeys } from '../../stores/remote/fetch-keys.ts'
import { createIntrospect } from '../../stores/remote/introspect.ts'
import { createThrottle, type Places } from '../../stores/throttle.ts'
import { type Audit, createAudit, NO_AUDIT } from '../../telemetry/audit.ts'
import { auditToStdout, openAuditFile } from '../../telemetry/audit-file.ts'
import { createStdoutLog, type Log, type LogLevel } from '../../telemetry/log.ts'
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts'
import { type LineSink, openStdout } from '../../telemetry/stdout.ts'
import { type FlagProvider, openFlagProvider } from './flag-provider.ts'
import { type FollowedState, followState } from './follow-state.ts'
import type { GateParts } from './gate.ts'
import { createOwnSigningKeys } from './own-signing-keys.ts'
import type { Stores } from './stores.ts'
import { tellOfIssuers } from './tell-of-issuers.ts'

export interface Surroundings extends Pick<GateParts, 'throttle' | 'signingKey' | 'now' | 'elapsed'> {
  /** What `--flag-provider` has loaded. */
  readonly flagProvider: FlagProvider | undefined
  readonly log: Log
  readonly metrics: Metrics
  readonly audit: Audit
  /** How credentials are proven whose proof is not in a store of ours. */
  readonly issuers: Omit<GateParts['credentials'], 'records' | 'uses'>
  /** The state file; undefined where records end with the process, or live elsewhere. */
  readonly state: FollowedState | undefined
}

/** The surroundings, and the stores that the policy asks for. */
export interface ServiceParts extends Surroundings, Stores {
  readonly credentials: GateParts['credentials']
  /** What there is to tell of a candidate policy; absent where the service runs without one. */
  readonly candidate?: () => CandidateView
  readonly switches: GateParts['switches']
}

export interface PartsOptions {
  readonly logLevel: LogLevel
  /** Path of the state file; undefined for none. */
  readonly state: string | undefined
  /** Path of the audit, or `stdout`; undefined for none. */
  readonly audit: string | undefined
  /** Path of the module that makes the OpenFeature provider; none where it is absent. */
  readonly flagProvider?: string | undefined
  /** How many requests may wait for limits that delay. */
  readonly places?: Places
}

export type OpenSurroundings =
  | { readonly ok: true; readonly around: Surroundings }
  | { readonly ok: false; readonly problem: string }

/** Opens what a service writes to, and reads the state file. */
export async function openSurroundings(
  options: PartsOptions,
  isTerminal: boolean,
  stdout: LineSink = openStdout(),
): Promise<OpenSurroundings> {
  const log = createStdoutLog(options.logLevel, isTerminal, stdout)
  const metrics = createMetrics(Date.now)
  const audit = openAudit(options.audit, { stdout, log, metrics })
  if (!audit.ok) return { ok: false, problem: `--audit: ${audit.problem}` }
  const state = options.state === undefined ? undefined : await followState(options.state, log, Date.now)
  if (state?.ok === false) return { ok: false, problem: `--state: ${state.problem}` }
  if (state) metrics.addState(state.followed.state)
  const clocks = { now: Date.now, elapsed: () => performance.now() }
  const flags =
    options.flagProvider === undefined
      ? undefined
      : await openFlagProvider(options.flagProvider, { log, metrics, elapsed: clocks.elapsed })
  if (flags?.ok === false) return { ok: false, problem: `--flag-provider: ${flags.problem}` }
  const throttle = createThrottle({
    ...clocks,
    onDelayed: metrics.delayed,
    ...(options.places && { places: options.places }),
  })
  metrics.addThrottle(throttle)
  const around: Surroundings = {
    log,
    metrics,
    audit: audit.audit,
    state: state?.followed,
    flagProvider: flags?.provider,
    throttle,
    issuers: {
      fetchKeys: tellOfIssuers(createFetchKeys(), log),
      introspect: createIntrospect(),
      failures: createFailedCredentials(),
    },
    signingKey: createOwnSigningKeys(log),
    ...clocks,
  }
  return { ok: true, around }
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
