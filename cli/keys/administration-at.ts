/** Where the verbs of `keys` and `tokens` are done. */
import type { AdminClient } from '../admin/admin-client.ts'
import { openCommandAudit } from '../command-audit.ts'
import type { Io } from '../io.ts'
import type { KeyPlace } from './key-place.ts'
import type { KeyVerbs } from './key-verbs.ts'
import { keysInRedis } from './keys-in-redis.ts'

function atServer(client: AdminClient): KeyVerbs {
  return {
    list({ tenant, limit, offset }) {
      const query = new URLSearchParams({ limit: `${limit}`, offset: `${offset}`, ...(tenant && { tenant }) })
      return client.ask('GET', `/v1/keys?${query}`)
    },
    create: (tenant, wanted) => client.ask('POST', `/v1/tenants/${tenant}/keys`, wanted),
    rotate: (tenant, id, wanted) => client.ask('POST', `/v1/tenants/${tenant}/keys/${id}/rotate`, wanted),
    revoke: (tenant, id) => client.ask('DELETE', `/v1/tenants/${tenant}/keys/${id}`),
    revokeTokens: (wanted) => client.ask('POST', '/v1/revocations', wanted),
  }
}

/** By a running service, or in a Redis, where `audit` is told of changes; a text says why it cannot be audited. */
export function administrationAt(
  place: Exclude<KeyPlace, { kind: 'policy' }>,
  audit: string | undefined,
  io: Io,
): KeyVerbs | string {
  if (place.kind === 'server') return atServer(place.client)
  const opened = openCommandAudit(audit, io)
  return opened.ok ? keysInRedis(place.place, opened.audit) : opened.problem
}
