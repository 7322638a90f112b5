/**
 * The audit log: one JSON line for each refused authentication and authorization, also one that shadow has let through, and
 * for each change by an administrator.
 * Every field is named here, so that no credential can get in; what clients write is cut and searched for credentials first.
 */
import { type AdminEvent, changeTexts, type TargetValue } from '../core/admin-event.ts'
import { DENIALS, type Decision, type DenyReason, type ShadowDenial } from '../core/decision.ts'
import { STAGE_OF } from '../core/explain.ts'
import { maskAndCut } from '../core/mask-secrets.ts'

/** Where the lines go. Never waits, never throws: what cannot be written is counted. */
export interface AuditSink {
  write(line: string): void
  /** Lines that were not written, so far. */
  readonly lost: number
  /** The file is opened by its path again: after a rotation there is another one. */
  reopen(): void
  close(): Promise<void>
}

export interface Audit {
  /** Writes a line for each refusal that an audit asks for, and for each that was only observed. */
  decided(decision: Decision): void
  administered(event: AdminEvent): void
  policyReloaded(outcome: 'loaded' | 'refused', because: string): void
  readonly lost: number
  reopen(): void
  /** Resolves when everything is written, or after a second. */
  close(): Promise<void>
}

/** Refusals written in one second; more of them are counted and told in one line. Administration is always written. */
export const MOST_PER_SECOND = 1000

/** `now` is ms since the epoch. */
export function createAudit(sink: AuditSink, now: () => number): Audit {
  const flood = createFlood(now, (suppressed, since) => write({ event: 'lines_suppressed', suppressed, since }))

  function write(fields: Readonly<Record<string, unknown>>): void {
    sink.write(`${JSON.stringify({ time: instant(now()), ...fields })}\n`)
  }

  return {
    decided(decision) {
      for (const observed of decision.shadow ?? []) {
        if (isAudited(observed.reason) && flood.admits()) write({ ...refusalFields(decision, observed), shadow: true })
      }
      if (decision.decision === 'allow' || !isAudited(decision.reason) || !flood.admits()) return
      write(refusalFields(decision, decision))
    },
    administered: ({ action, outcome, requestId, actor, address, target, reason }) =>
      write({ event: 'administration', action, outcome, ...cutAll({ reason, requestId, actor, address, ...target }) }),
    policyReloaded: (outcome, because) => write({ event: 'policy_reload', outcome, because: cut(because) }),
    get lost() {
      return sink.lost
    },
    reopen: () => sink.reopen(),
    close() {
      flood.end()
      return sink.close()
    },
  }
}

/** A log that nobody wants. */
export const NO_AUDIT: Audit = {
  decided() {},
  administered() {},
  policyReloaded() {},
  lost: 0,
  reopen() {},
  close: async () => {},
}

/** Who was refused, and whose attempts were: limits that a tenant has used up are no matter of an audit. */
function isAudited(reason: DenyReason): boolean {
  const { status } = DENIALS[reason]
  return status === 401 || status === 403 || reason === 'ambiguous_credential' || reason === 'too_many_failures'
}

function refusalFields(
  { request, tenant, user, credential, route }: Decision,
  { reason, because }: Pick<ShadowDenial, 'reason' | 'because'>,
) {
  const event = STAGE_OF[reason] === 'credentials' ? 'authentication_refused' : 'authorization_refused'
  const texts = {
    requestId: request.id,
    tenant,
    user,
    credential,
    route,
    reason,
    because,
    address: request.clientAddress,
    method: request.method,
    path: request.path.split('?', 1)[0],
  }
  return { event, ...cutAll(texts) }
}

function cutAll(values: Readonly<Record<string, TargetValue | undefined>>) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value === undefined ? value : changeTexts(value, cut)]),
  )
}

const LONGEST_TEXT = 512

const cut = (text: string) => maskAndCut(text, LONGEST_TEXT)

function instant(ms: number): string {
  return new Date(ms).toISOString()
}

const SECOND_MS = 1000

/** Counts what comes in a second and tells at its end what was too much of it. */
function createFlood(now: () => number, tell: (suppressed: number, since: string) => void) {
  let since = Number.NEGATIVE_INFINITY
  let admitted = 0
  let suppressed = 0
  let timer: NodeJS.Timeout | undefined

  function end(): void {
    clearTimeout(timer)
    timer = undefined
    if (suppressed > 0) tell(suppressed, instant(since))
    suppressed = 0
  }

  return {
    end,
    admits(): boolean {
      const at = now()
      // a clock that is set back begins a new second too
      if (at - since >= SECOND_MS || at < since) {
        end()
        since = at
        admitted = 0
      }
      admitted += 1
      if (admitted <= MOST_PER_SECOND) return true
      suppressed += 1
      // told even if nothing follows
      timer ??= setTimeout(end, SECOND_MS).unref()
      return false
    },
  }
}
