/** Keys and revocations in a Redis without any service: done by what a service does it by, and audited likewise. */
import type { z } from 'zod'
import type { Answer } from '../../admin/answer.ts'
import { readValue } from '../../admin/body.ts'
import { issueKey, listKeys, newKey, revokeKey, rotateKey, rotation } from '../../admin/keys.ts'
import type { CredentialParts } from '../../admin/parts.ts'
import { revocation, revoke } from '../../admin/revocations.ts'
import { StoreAway } from '../../admin/store-away.ts'
import type { AdminEvent } from '../../core/admin-event.ts'
import type { RedisPlace } from '../../core/policy.ts'
import type { AdminAnswer } from '../admin/admin-client.ts'
import type { CommandAudit } from '../command-audit.ts'
import { inRedis, redisWords } from '../redis-session.ts'
import type { KeyVerbs } from './key-verbs.ts'
import { redisParts } from './redis-parts.ts'

/** Whose change is audited closes the audit. */
export function keysInRedis(place: RedisPlace, audit: CommandAudit): KeyVerbs {
  const ask = (tenant: string | undefined, work: Work) => asked(place, tenant, work)

  async function change(
    action: string,
    tenant: string | undefined,
    target: AdminEvent['target'],
    work: Work,
  ): Promise<AdminAnswer> {
    const { answer, ...outcome } = await ask(tenant, work)
    audit.changed({ action, target: { ...target, ...(answer.ok && idIn(answer.body)) }, ...outcome })
    await audit.close()
    return answer
  }

  return {
    list: async (query) => (await ask(query.tenant, (parts) => listKeys(query, parts))).answer,
    create: (tenant, wanted) =>
      change('key_issued', tenant, { tenant, ...idIn(wanted) }, (parts) =>
        reading(wanted, newKey, (read) => issueKey(tenant, read, parts)),
      ),
    rotate: (tenant, id, wanted) =>
      change('key_rotated', tenant, { tenant, id }, (parts) =>
        reading(wanted, rotation, (read) => rotateKey(tenant, id, read, parts)),
      ),
    revoke: (tenant, id) => change('key_revoked', tenant, { tenant, id }, (parts) => revokeKey(tenant, id, parts)),
    revokeTokens: (wanted) =>
      change('revoked', undefined, namesIn(wanted), (parts) =>
        reading(wanted, revocation, (read) => revoke(read, parts)),
      ),
  }
}

type Work = (parts: CredentialParts) => Promise<Answer>

type Asked = Pick<AdminEvent, 'outcome' | 'reason'> & { readonly answer: AdminAnswer }

async function asked(place: RedisPlace, tenant: string | undefined, work: Work): Promise<Asked> {
  const done = await inRedis(place, async (connection) => {
    const parts = await redisParts(connection, tenant)
    return typeof parts === 'string' ? parts : work(parts).catch(causeOf)
  })
  if (!done.ok) return { outcome: 'failed', answer: done }
  const { value } = done
  if (typeof value === 'string') return { outcome: 'refused', answer: { ok: false, problem: value } }
  if (value.ok) return { outcome: 'done', answer: value }
  const { code, detail } = value
  if (code === 'not_recorded') {
    return { outcome: 'failed', reason: code, answer: { ok: false, problem: redisWords(place, detail) } }
  }
  return { outcome: 'refused', reason: code, answer: { ok: false, problem: `${detail} (${code})` } }
}

function causeOf(error: unknown): never {
  throw error instanceof StoreAway && error.cause instanceof Error ? error.cause : error
}

async function reading<T extends z.ZodType>(
  wanted: object,
  schema: T,
  work: (read: z.output<T>) => Promise<Answer>,
): Promise<Answer> {
  const read = readValue(wanted, schema)
  return read.ok ? work(read.value) : read
}

function idIn({ id }: { readonly id?: unknown }) {
  return typeof id === 'string' ? { id } : {}
}

/** Names alone: nobody has looked at the rest yet. */
function namesIn(wanted: object): AdminEvent['target'] {
  return Object.fromEntries(Object.entries(wanted).filter((entry) => typeof entry[1] === 'string'))
}
