/**
 * The log: JSON lines on stdout, for people when that is a terminal. Each kind of line has a function that names its fields;
 * there is no way to log an object as a whole, so that no header, key or token can get in by accident.
 */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import { type AdminEvent, changeTexts } from '../core/admin-event.ts'
import type { Allow, Decision } from '../core/decision.ts'
import type { Overrun } from '../core/descriptors/descriptor.ts'
import { maskAndCut } from '../core/mask-secrets.ts'
import { type CandidateLog, candidateLog } from './candidate-log.ts'
import { type FlagProviderLog, flagProviderLog } from './flag-provider-log.ts'
import { type LineSink, openStdout } from './stdout.ts'
import { type StoreLog, storeLog } from './store-log.ts'
import type { TlsRefusal } from './tls-metrics.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where a service listens: for Envoy or for Kong, for probes, and for administration. */
export interface Addresses {
  readonly grpc?: readonly string[]
  readonly kong?: string
  readonly http: string | undefined
  readonly admin?: string | undefined
}

export interface Log extends StoreLog, FlagProviderLog, CandidateLog {
  /** Whether `decided` would write a line; asked before the work for one is done. */
  readonly decisions: { readonly allow: boolean; readonly deny: boolean }
  /** Denials at info, and allows that are none but for shadow; other allows at debug. */
  decided(decision: Decision, latencyMs: number): void
  /** The one line that says where we serve; written at every level. */
  listening(addresses: Addresses, version: string): void
  policyReloaded(version: string): void
  /** The files were read and are what is served. */
  policyUnchanged(): void
  /** The live policy has another `state` than the one that we started with. */
  stateNeedsRestart(): void
  /** Each problem is one line of text for people, as `validate` prints it. */
  policyRejected(problems: readonly string[]): void
  /** There is no policy to begin with, and one is waited for. */
  policyMissing(problems: readonly string[]): void
  /** A policy is live in which something is perhaps not what was meant; each note is a line. */
  policyNoted(notes: readonly string[]): void
  /** A ratelimit configuration is live; the first few of its domains are told. */
  ratelimitLoaded(domains: readonly string[]): void
  /** The folder was read and is what is served. */
  ratelimitUnchanged(): void
  /** Each problem, and each note on what has no effect, is one line of text for people. */
  ratelimitRejected(problems: readonly string[]): void
  ratelimitNoted(notes: readonly string[]): void
  /** A call of ShouldRateLimit had no room, or would have had none; at info, as a denial: ask `decisions.deny` first. */
  overrun(domain: string, overrun: Overrun): void
  /** A plugin of Kong's cannot work as it is configured; `because` tells of the configuration, which no client writes. */
  pluginRejected(plugin: string, because: string): void
  /** Identities are signed by a key that only this process has. */
  signingKeyMade(algorithm: string): void
  administered(event: AdminEvent): void
  /** The state file was read; `problem` says why it was not, and what was known holds. */
  stateRead(problem: string | undefined): void
  /** Records that held are no longer in the state file; the numbers are of records. */
  stateLost(lost: number, before: number, after: number): void
  /** Records speak of tenants that the policy knows by no id and no alias; the first few of `count` names. */
  recordsOrphaned(tenants: readonly string[], count: number): void
  /** The state file ends in a line that was never finished, and is ignored. */
  stateTorn(place: string): void
  /** Lines of the audit are being lost; `code` is the system's. */
  auditFailing(code: string): void
  /** Where another server was listening, connections come to us from now on. */
  socketTaken(address: string): void
  /** Where we were listening, connections come to another server now; we end what we have. */
  socketLost(address: string): void
  /** An issuer's keys cannot be fetched; `url` without its query, `because` quotes nothing that came from there. */
  issuerAway(url: string, because: string): void
  issuerBack(url: string): void
  /** Certificate, key and authorities are used from now on; `notAfter` in ms since the epoch. */
  tlsLoaded(notAfter: number): void
  /** The files were read and are what is used. */
  tlsUnchanged(): void
  /** `problem` names option and file. */
  tlsRejected(problem: string): void
  connectionRefused(refused: RefusedConnection): void
  draining(signal: string): void
  stopped(allAnswered: boolean): void
  /**
   * We are broken. Of an error only its kind and the places in our code are told: its text may quote what a client sent. `untold` lines of
   * the kind were passed over before this one.
   */
  fault(what: string, fault: unknown, untold?: number): void
  /** Resolves when every line is written, or when nobody has read them for a second. The last call. */
  close(): Promise<void>
}

/** Someone came from beyond this machine, and did not get in. */
export interface RefusedConnection {
  readonly address: string | undefined
  readonly reason: TlsRefusal
  /** OpenSSL's or Node's word for it. */
  readonly code: string | undefined
  /** A few names of a certificate that was verified. */
  readonly names: readonly string[] | undefined
  /** Refused connections of which no line was written, since the last one. */
  readonly untold: number
}

const OPTIONS = {
  base: null,
  timestamp: stdTimeFunctions.isoTime,
  formatters: { level: (level: string) => ({ level }) },
}

/** A log on this process's stdout, which others may write to as well. */
export function createStdoutLog(level: LogLevel, isTerminal: boolean, stdout: LineSink = openStdout()): Log {
  if (isTerminal) return createLog(level, pretty({ colorize: true, ignore: 'pid,hostname', sync: true }))
  return createLog(level, stdout, stdout.close)
}

/** A log on any stream; `close` waits for what the stream holds back. */
export function createLog(level: LogLevel, stream: DestinationStream, close: Log['close'] = async () => {}): Log {
  const logger: Logger = pino({ ...OPTIONS, level }, stream)
  return {
    decisions: { allow: logger.isLevelEnabled('debug'), deny: logger.isLevelEnabled('info') },
    decided(decision, latencyMs) {
      logger[decision.decision === 'allow' && !decision.shadow ? 'debug' : 'info'](
        decisionFields(decision, latencyMs),
        'decision',
      )
    },
    ...lifecycle(logger),
    ...ratelimit(logger),
    ...administration(logger),
    ...tls(logger),
    ...storeLog(logger),
    ...candidateLog(logger),
    ...flagProviderLog(logger),
    fault: (what, fault, untold = 0) => logger.error({ ...faultFields(fault), ...(untold > 0 && { untold }) }, what),
    close,
  }
}

function lifecycle(
  logger: Logger,
): Pick<
  Log,
  | 'listening'
  | 'policyReloaded'
  | 'policyUnchanged'
  | 'stateNeedsRestart'
  | 'policyRejected'
  | 'policyMissing'
  | 'policyNoted'
  | 'pluginRejected'
  | 'signingKeyMade'
  | 'socketTaken'
  | 'socketLost'
  | 'issuerAway'
  | 'issuerBack'
  | 'draining'
  | 'stopped'
> {
  return {
    listening({ grpc, kong, http, admin }, policy) {
      logger.child({}, { level: 'info' }).info({ grpc, kong, http, admin, policy, pid: process.pid }, 'listening')
    },
    policyReloaded: (policy) => logger.info({ policy }, 'policy reloaded'),
    policyUnchanged: () => logger.info('policy unchanged'),
    stateNeedsRestart: () => logger.warn('`state` of the policy has changed: that takes effect at the next start'),
    policyRejected: (problems) => logger.error({ problems }, 'policy rejected, the last good one stays'),
    policyMissing: (problems) => logger.error({ problems }, 'there is no policy that can be served, one is waited for'),
    policyNoted: (notes) => logger.warn({ notes }, 'the policy has what may be a slip'),
    pluginRejected: (plugin, because) =>
      logger.error({ plugin, because }, 'plugin configuration rejected, its requests are refused'),
    signingKeyMade: (algorithm) =>
      logger.warn(
        { algorithm },
        'the policy names no key that signs identities: one was made, for this process and its life alone',
      ),
    socketTaken: (address) =>
      logger.warn({ address }, 'another server was listening here, and its new connections come here now'),
    socketLost: (address) => logger.info({ address }, 'another server listens here now; ending'),
    issuerAway: (url, because) => logger.warn({ url, because }, "an issuer's keys cannot be fetched"),
    issuerBack: (url) => logger.info({ url }, "an issuer's keys can be fetched again"),
    draining: (signal) => logger.info({ signal }, 'draining'),
    stopped: (allAnswered) => logger.info({ allAnswered }, 'stopped'),
  }
}

const MOST_DOMAINS = 20

function ratelimit(
  logger: Logger,
): Pick<Log, 'ratelimitLoaded' | 'ratelimitUnchanged' | 'ratelimitRejected' | 'ratelimitNoted' | 'overrun'> {
  return {
    ratelimitLoaded: (domains) =>
      logger.info({ domains: domains.slice(0, MOST_DOMAINS), count: domains.length }, 'ratelimit configuration loaded'),
    ratelimitUnchanged: () => logger.info('ratelimit configuration unchanged'),
    ratelimitRejected: (problems) =>
      logger.error({ problems }, 'ratelimit configuration rejected, the last good one stays'),
    ratelimitNoted: (notes) => logger.warn({ notes }, 'ratelimit configuration has settings without effect'),
    overrun(domain, overrun) {
      const { mode } = overrun
      if ('limit' in overrun) logger.info({ domain, limit: overrun.limit, mode, hits: overrun.hits }, 'over limit')
      else {
        const { tenant, reason, because } = overrun
        logger.info({ domain, tenant: masked(tenant), mode, reason, because: masked(because) }, 'over limit')
      }
    },
  }
}

function administration(
  logger: Logger,
): Pick<Log, 'administered' | 'stateRead' | 'stateLost' | 'stateTorn' | 'recordsOrphaned' | 'auditFailing'> {
  return {
    administered: ({ action, outcome, reason, requestId, actor, address, target }) =>
      logger.info(
        { action, outcome, reason, requestId, actor: masked(actor), address, target: allMasked(target) },
        'administration',
      ),
    stateRead(problem) {
      if (problem === undefined) logger.info('state file is good again')
      else logger.error({ problem }, 'state file rejected, what was known holds')
    },
    stateLost: (lost, before, after) =>
      logger.error({ lost, before, after }, 'the state file has lost records, what they refused is refused no longer'),
    recordsOrphaned: (tenants, count) =>
      logger.warn(
        { tenants: tenants.map(masked), count },
        'revocations and issued keys speak of tenants that the policy does not know; of a renamed tenant, keep the old id as an alias',
      ),
    stateTorn: (place) => logger.warn({ place }, 'state file ends in a line that was never finished; it is ignored'),
    auditFailing: (code) => logger.error({ code }, 'the audit cannot be written, its lines are lost'),
  }
}

function tls(logger: Logger): Pick<Log, 'tlsLoaded' | 'tlsUnchanged' | 'tlsRejected' | 'connectionRefused'> {
  return {
    tlsLoaded: (notAfter) => logger.info({ notAfter: new Date(notAfter).toISOString() }, 'TLS files loaded'),
    tlsUnchanged: () => logger.info('TLS files unchanged'),
    tlsRejected: (problem) => logger.error({ problem }, 'TLS files rejected, the last good ones stay'),
    connectionRefused: ({ address, reason, code, names, untold }) =>
      logger.warn({ address, reason, code: masked(code), names: names?.map(masked), untold }, 'connection refused'),
  }
}

/** What others have written stays short, and holds no credential. */
function masked<T extends string | undefined>(text: T): T | string {
  return text === undefined ? text : maskAndCut(text, LONGEST_TEXT)
}

function allMasked(target: AdminEvent['target']) {
  return Object.fromEntries(Object.entries(target).map(([name, value]) => [name, changeTexts(value, masked)]))
}

const LONGEST_TEXT = 512

function decisionFields(decision: Decision, latencyMs: number) {
  const { request, tenant, user, credential, route, reason, shadow } = decision
  return {
    requestId: masked(request.id),
    tenant,
    user: masked(user),
    credential: masked(credential),
    route,
    decision: decision.decision,
    reason,
    because: decision.decision === 'deny' ? masked(decision.because) : undefined,
    shadow: shadow?.map(({ reason, because }) => ({ reason, because: masked(because) })),
    ...(decision.decision === 'allow' && flagFields(decision)),
    latencyMs: Math.round(latencyMs * 1000) / 1000,
  }
}

/** The upstream, and why: `errorCode` says of a flag that is broken what the metrics do not. */
function flagFields({ upstream, variant, flags }: Allow) {
  return {
    upstream,
    variant: masked(variant),
    flags: flags?.map(({ flag, variant, reason, errorCode }) => ({
      flag,
      variant: masked(variant),
      reason,
      errorCode,
    })),
  }
}

function faultFields(fault: unknown) {
  if (!(fault instanceof Error)) return { fault: typeof fault }
  const stack = fault.stack?.replace(fault.message, '') ?? ''
  const places = stack.split('\n').filter((line) => line.startsWith('    at '))
  return { fault: fault.name, code: (fault as NodeJS.ErrnoException).code, places: places.map((line) => line.trim()) }
}
