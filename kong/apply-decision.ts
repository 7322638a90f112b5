/** From the core's decision to what the guard applies, or to the answer that refuses. It translates and decides nothing. */
import { createHash } from 'node:crypto'
import { clientHeaders } from '../core/answer.ts'
import type { Allow, Decision } from '../core/decision.ts'
import { backendHeaders, headersToRemove, type IDENTITY_HEADERS, isTrusted } from '../core/identity/headers.ts'
import type { Caller, Mark, MarkName, Stage } from './handover.ts'
import { assertValues } from './header-values.ts'
import { type Refusal, refusalOf } from './refusal.ts'

/** Which part of a decision one plugin applies. */
export interface Applied {
  /** Of the request, as Kong numbers it. */
  readonly id: string
  readonly stage: MarkName
  readonly parts: ReadonlySet<Stage>
  /** Whether no guard has taken the client's own spellings away: the plugin then answers for every trusted header itself. */
  readonly unguarded: boolean
  /** Whether Kong's own plugins are told of the caller. */
  readonly setConsumer: boolean
  /** Whether the upstream that was chosen is gone to; otherwise Kong's service stays. */
  readonly setUpstream: boolean
}

/** The stage that tells the backend each header; those that the policy adds say who the caller is, or what a flag says. */
const TOLD_BY: Readonly<Record<(typeof IDENTITY_HEADERS)[number], Stage>> = {
  'x-tenant-id': 'auth',
  'x-tenant-plan': 'auth',
  'x-user-id': 'auth',
  'x-user-roles': 'auth',
  'x-user-scopes': 'auth',
  'x-tenantgate-identity': 'auth',
  'x-tenantgate-upstream': 'flags',
  'x-tenantgate-variant': 'flags',
  // never told: it stands in the mark
  'x-tenantgate-fallback': 'flags',
}

/** Translates a decision. Throws when a header of ours could not be sent as it is: then we are broken, and the plugin refuses. */
export function applyDecision(decision: Decision, applied: Applied): Mark | Refusal {
  return decision.decision === 'allow' ? markOf(decision, applied) : refusalOf(decision)
}

/** Whether the request is to be answered with it; a mark has no status. */
export function isRefusal(outcome: Mark | Refusal): outcome is Refusal {
  return 'status' in outcome
}

function markOf(allow: Allow, { id, stage, parts, unguarded, setConsumer, setUpstream }: Applied): Mark {
  const isOwn = (name: string) => unguarded || parts.has(told.get(name) ?? addedBy(name, allow))
  const known = setUpstream ? allow : withoutUpstream(allow)
  const trusted = backendHeaders(known).filter(([name]) => isOwn(name))
  const answer = parts.has('quota') ? clientHeaders(allow) : []
  const caller = setConsumer && parts.has('auth') ? callerOf(allow) : undefined
  const mark: Mark = {
    id,
    stage,
    set: Object.fromEntries(trusted),
    // what an earlier stage has set is not this one's to take away; a client's spellings are everybody's
    remove: headersToRemove(allow, trusted).filter((name) => isOwn(name) || !isTrusted(name, allow.identity)),
    answer: Object.fromEntries(answer),
    ...(parts.has('flags') && known.upstream !== undefined && { upstream: known.upstream }),
    ...(parts.has('flags') && known.fallback !== undefined && { fallback: known.fallback }),
    ...(caller && { caller }),
  }
  assertValues(mark.set)
  assertValues(mark.answer)
  return mark
}

function withoutUpstream({ upstream: _, fallback: __, ...rest }: Allow): Allow {
  return rest
}

const told: ReadonlyMap<string, Stage> = new Map(Object.entries(TOLD_BY))

function addedBy(name: string, { identity }: Allow): Stage {
  return identity.headers.get(name)?.kind === 'flag' ? 'flags' : 'auth'
}

/** Who has proven a credential; a host name alone makes nobody a caller. */
function callerOf({ tenant, credential, consumer }: Allow): Caller | undefined {
  if (tenant === undefined || credential === undefined) return undefined
  const known = `${tenant}/${credential}`
  assertValues({ 'x-credential-identifier': known })
  return {
    ...(consumer !== undefined && { consumer }),
    standIn: standInOf(tenant),
    credential: { id: known },
  }
}

const standIns = new Map<string, Caller['standIn']>()
/** Tenants are as many as the policies of this process have named; reloads may name others without end. */
const MOST_STAND_INS = 20_000

/** The same tenant is the same consumer in every process: caches and counters of Kong's plugins hang on the id. */
function standInOf(tenant: string): Caller['standIn'] {
  let standIn = standIns.get(tenant)
  if (!standIn) {
    if (standIns.size >= MOST_STAND_INS) standIns.clear()
    standIn = { id: uuidOf(`tenantgate consumer ${tenant}`), username: tenant, custom_id: tenant }
    standIns.set(tenant, standIn)
  }
  return standIn
}

/** RFC 9562 §5.8: version 8, whose bits are ours to choose. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
