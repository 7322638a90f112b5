/** What somebody gets of each flag now, and what he will get as rollouts go on: by what decisions come to it too. */
import { z } from 'zod'
import type { Principal } from '../core/credentials/principal.ts'
import type { Subject } from '../core/flags/context.ts'
import type { Flags } from '../core/flags/evaluate.ts'
import { askedBy, type Resolved } from '../core/flags/resolve.ts'
import { stepsAfter } from '../core/flags/rollout.ts'
import { type Policy, type Tenant, UNAVAILABLE } from '../core/policy.ts'
import { UNROUTED } from '../core/shadow.ts'
import { type Answer, done, type Problem, problem } from './answer.ts'
import { isProvided } from './flags.ts'
import { AT_A_TIME, createSlices, type GiveWay, inTurn } from './in-turn.ts'
import { joinedHeaders } from './joined-headers.ts'
import type { Nearest } from './parts.ts'
import { answered, StoreAway } from './store-away.ts'
import { claim, credentialId, instant, instantText, roles, tenantName } from './words.ts'

const text = z.string().max(16_384)

const fields = z.strictObject({
  /** All of the policy where none is named. */
  flags: z.array(z.string().max(256)).max(100).default([]),
  /** By its id or an alias. */
  tenant: tenantName.optional(),
  /** The id of an API key or a certificate of the tenant, for the right to choose a variant; what else it has is said beside it. */
  credential: credentialId.optional(),
  user: claim.optional(),
  roles: roles.default([]),
  /** The name of a route. */
  route: z.string().max(256).optional(),
  headers: z.record(z.string().min(1).max(256), text).default({}),
  /** As if it were then. */
  at: instant.optional(),
})

export const askedFlags = fields.refine(({ credential, tenant }) => credential === undefined || tenant !== undefined, {
  path: ['credential'],
  message: 'is one of a tenant, and none is named',
})

export type AskedFlags = z.output<typeof askedFlags>

export interface OutlookParts {
  readonly policy: () => Policy
  readonly flags: () => Flags
  readonly nearest: Nearest
  /** ms since the epoch. */
  readonly now: () => number
}

/** Rejects with `StoreAway`. */
export async function outlookOf(asked: AskedFlags, parts: OutlookParts): Promise<Answer> {
  const [policy, flags] = [parts.policy(), parts.flags()]
  const unknown = isProvided(policy.flags) ? undefined : asked.flags.find((flag) => !flags.names.includes(flag))
  if (unknown !== undefined) return unknownFlag(unknown, parts.nearest(unknown, flags.names))
  const tenant = asked.tenant === undefined ? undefined : await tenantNamed(asked.tenant, policy)
  if (tenant && 'ok' in tenant) return tenant
  const subject = subjectOf(asked, tenant, policy)
  if ('ok' in subject) return subject
  const at = asked.at ?? parts.now()
  const names = asked.flags.length > 0 ? asked.flags : flags.names
  const giveWay = createSlices(parts.now)
  const tell = (flag: string) => toldOf(flag, subject, { policy, flags, at, giveWay })
  const told = await inTurn(names, tell, giveWay, isProvided(policy.flags) ? AT_A_TIME : 1)
  return done(200, { ...(tenant && { tenant: tenant.id }), at: instantText(at), flags: told })
}

function unknownFlag(flag: string, near: string | undefined): Problem {
  const guess = near === undefined ? '' : ` Did you mean '${near}'?`
  return problem('unknown_flag', `The policy has no file in which there is a flag '${flag}'.${guess}`)
}

async function tenantNamed(name: string, { directory }: Policy): Promise<Tenant | Problem> {
  const found = await answered(directory.byName(name))
  if (found === UNAVAILABLE) throw new StoreAway()
  return found ?? problem('unknown_tenant', `The policy has no tenant '${name}'.`)
}

function subjectOf(asked: AskedFlags, tenant: Tenant | undefined, policy: Policy): Subject | Problem {
  const { credential = '', user, roles, route: name, headers } = asked
  const route = name === undefined ? UNROUTED : policy.routes.routes.find((each) => each.name === name)
  if (!route) return problem('unknown_route', `The policy has no route '${name}'.`)
  const sent = joinedHeaders(Object.entries(headers))
  const request = { id: 'flags', method: 'GET', host: '', path: '/', headers: sent, clientAddress: '127.0.0.1' }
  // nobody is asked there who he is
  if (route.anonymous === true) return { request, route, tenant: undefined, principal: undefined }
  const principal: Principal = {
    kind: 'apiKey',
    credential,
    roles,
    scopes: [],
    ...(user !== undefined && { user }),
  }
  const isNobody = credential === '' && user === undefined && roles.length === 0
  return { request, route, tenant, principal: isNobody ? undefined : principal }
}

interface Outlook {
  readonly policy: Policy
  readonly flags: Flags
  /** ms since the epoch. */
  readonly at: number
  readonly giveWay: GiveWay
}

async function toldOf(flag: string, subject: Subject, { policy, flags, at, giveWay }: Outlook) {
  const resolvedAt = async (time: number) => gotten(await askedBy(subject, policy, flags, time).resolve(flag, null))
  const now = await resolvedAt(at)
  const changes: object[] = []
  const rollout = policy.flags?.rollouts.get(flag)
  let before = now
  for (const { from } of rollout ? stepsAfter(rollout, at) : []) {
    // rules see whole seconds
    const then = await resolvedAt(Math.ceil(from / 1000) * 1000)
    // who has the same for another reason has the same
    if (then.variant !== before.variant) changes.push({ from: instantText(from), ...then })
    before = then
    await giveWay()
  }
  return { flag, ...now, changes }
}

/** Without a value where whoever asks keeps its own. */
function gotten({ value, variant, reason, errorCode, off, by }: Resolved) {
  return {
    ...(variant !== undefined && { variant }),
    ...(value !== null && { value }),
    reason,
    ...(errorCode !== undefined && { errorCode }),
    ...(off && { off }),
    ...(by !== undefined && { by }),
  }
}
