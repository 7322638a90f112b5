/** What there is to ask of the administration, and who answers. */
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import type { TargetValue } from '../core/admin-event.ts'
import type { Answer } from './answer.ts'
import { readBody, readValue } from './body.ts'
import { showCandidate } from './candidate.ts'
import { askedRequest, explain } from './explain.ts'
import { askedFlags, outlookOf } from './flag-outlook.ts'
import { flagsQuery, knowsFlag, listFlags, switchFlag } from './flags.ts'
import { issueKey, keysQuery, listKeys, newKey, revokeKey, rotateKey, rotation } from './keys.ts'
import { changeLimit, limitChange } from './limit-change.ts'
import { limitsQuery, listLimits } from './limits.ts'
import { evaluateAll, evaluateOne } from './ofrep.ts'
import type { AdminParts, ServerParts } from './parts.ts'
import { listRevocations, revocation, revocationsQuery, revoke } from './revocations.ts'
import { listUsage, usageQuery } from './usage.ts'
import { credentialId, flagName, limitName, tenantId } from './words.ts'

/** What names in a path look like. All but those of flags need no escapes, so what has some is of none. */
export const NAMES = { tenant: tenantId, id: credentialId, limit: limitName, flag: flagName } as const

interface Asked {
  readonly request: IncomingMessage
  readonly query: Readonly<Record<string, string>>
  /** The names in the path by what they stand for, checked. */
  readonly names: Names
}

export type Names = Readonly<Partial<Record<keyof typeof NAMES, string>>>

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `{tenant}`, `{id}`, `{limit}` and `{flag}` stand for names. */
  readonly path: string
  /** How audits name it; what changes nothing has none. */
  readonly action?: string
  run(asked: Asked, parts: ServerParts, target: Target): Promise<Answer>
}

/** What a change is about, told to audits: the names in the path, and what becomes known. */
export type Target = Record<string, TargetValue>

export const ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/v1/keys',
    run: byQuery(keysQuery, (query, _, parts) => listKeys(query, parts)),
  },
  {
    method: 'POST',
    path: '/v1/tenants/{tenant}/keys',
    action: 'key_issued',
    async run({ request, names: { tenant = '' } }, parts, target) {
      const read = await readBody(request, newKey)
      if (!read.ok) return read
      const answer = await issueKey(tenant, read.value, parts)
      const id = answer.ok ? answer.body.id : read.value.id
      if (typeof id === 'string') target.id = id
      return answer
    },
  },
  {
    method: 'POST',
    path: '/v1/tenants/{tenant}/keys/{id}/rotate',
    action: 'key_rotated',
    run: byBody(rotation, (body, { tenant = '', id = '' }, parts) => rotateKey(tenant, id, body, parts)),
  },
  {
    method: 'DELETE',
    path: '/v1/tenants/{tenant}/keys/{id}',
    action: 'key_revoked',
    run: async ({ names: { tenant = '', id = '' } }, parts) => revokeKey(tenant, id, parts),
  },
  {
    method: 'GET',
    path: '/v1/revocations',
    run: byQuery(revocationsQuery, (query, _, parts) => listRevocations(query, parts)),
  },
  {
    method: 'POST',
    path: '/v1/revocations',
    action: 'revoked',
    async run({ request }, parts, target) {
      const read = await readBody(request, revocation)
      if (!read.ok) return read
      const { before, ...names } = read.value as typeof read.value & { before?: number }
      Object.assign(target, names, before !== undefined && { before: new Date(before).toISOString() })
      return revoke(read.value, parts)
    },
  },
  {
    method: 'GET',
    path: '/v1/tenants/{tenant}/limits',
    run: byQuery(limitsQuery, (query, { tenant = '' }, parts) => listLimits(tenant, query, parts)),
  },
  {
    method: 'POST',
    path: '/v1/tenants/{tenant}/limits/{limit}',
    action: 'limit_changed',
    async run({ request, names: { tenant = '', limit = '' } }, parts, target) {
      const read = await readBody(request, limitChange)
      if (!read.ok) return read
      const { action, scope } = read.value
      const units = 'units' in read.value ? read.value.units : undefined
      Object.assign(target, { change: action }, scope && { scope }, units && { units })
      return changeLimit(tenant, limit, read.value, parts, (about) => void Object.assign(target, about))
    },
  },
  {
    method: 'GET',
    path: '/v1/tenants/{tenant}/usage',
    run: byQuery(usageQuery, (query, { tenant = '' }, parts) => listUsage(tenant, query, parts)),
  },
  {
    // of requests that belong to no tenant
    method: 'GET',
    path: '/v1/usage',
    run: byQuery(usageQuery, (query, _, parts) => listUsage('', query, parts)),
  },
  {
    method: 'POST',
    path: '/v1/explain',
    run: byBody(askedRequest, (body, _, parts) => explain(body, parts)),
  },
  {
    method: 'GET',
    path: '/v1/candidate',
    run: async (_, { candidate }) => showCandidate(candidate),
  },
  {
    method: 'GET',
    path: '/v1/flags',
    run: byQuery(flagsQuery, (query, _, parts) => listFlags(query, parts)),
  },
  {
    method: 'POST',
    path: '/v1/flags/{flag}/off',
    action: 'flag_switched_off',
    run: async ({ names: { flag = '' } }, parts) => switchOf(flag, 'off', parts),
  },
  {
    method: 'POST',
    path: '/v1/flags/{flag}/on',
    action: 'flag_switched_on',
    run: async ({ names: { flag = '' } }, parts) => switchOf(flag, 'on', parts),
  },
  {
    method: 'POST',
    path: '/v1/flags/evaluate',
    run: byBody(askedFlags, (body, _, parts) => parts.inPlace(() => outlookOf(body, parts))),
  },
  {
    // OFREP, here and below
    method: 'POST',
    path: '/ofrep/v1/evaluate/flags',
    run: async ({ request }, parts) => evaluateAll(request, parts),
  },
  {
    method: 'POST',
    path: '/ofrep/v1/evaluate/flags/{flag}',
    run: async ({ request, names: { flag = '' } }, parts) => evaluateOne(flag, request, parts),
  },
]

function switchOf(flag: string, to: 'off' | 'on', parts: AdminParts): Promise<Answer> {
  return switchFlag(flag, to, { ...parts, knows: (name) => knowsFlag(name, parts) })
}

type Run<T> = (asked: T, names: Names, parts: ServerParts) => Answer | Promise<Answer>

/** Runs with what the query says, once that is as the schema wants it. */
function byQuery<T extends z.ZodType>(schema: T, run: Run<z.output<T>>): Endpoint['run'] {
  return async ({ query, names }, parts) => {
    const read = readValue(query, schema)
    return read.ok ? run(read.value, names, parts) : read
  }
}

/** Runs with what the body says, once that is as the schema wants it. */
function byBody<T extends z.ZodType>(schema: T, run: Run<z.output<T>>): Endpoint['run'] {
  return async ({ request, names }, parts) => {
    const read = await readBody(request, schema)
    return read.ok ? run(read.value, names, parts) : read
  }
}
