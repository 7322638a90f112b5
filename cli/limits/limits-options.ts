/** What the verbs of `limits` share: which limit of which tenant is meant, and where it is asked for. */
import { LIMIT_SCOPE, NAME, TENANT_ID } from '../../core/names.ts'
import { type AdminClient, openAdminClient } from '../admin/admin-client.ts'
import { SERVER_SPECS } from '../admin/server-options.ts'
import type { Io } from '../io.ts'
import type { Options } from '../options.ts'

export const LIMIT_SPECS = {
  ...SERVER_SPECS,
  tenant: { type: 'string' },
  limit: { type: 'string' },
  scope: { type: 'string' },
} as const

export interface Wanted {
  readonly client: AdminClient
  readonly tenant: string
  readonly limit: string | undefined
  readonly scope: string | undefined
}

/** A text says what is wrong. */
export function wantedOf(options: Options<typeof LIMIT_SPECS>, env: Io['env']): Wanted | string {
  const { server, tenant, limit, scope, 'admin-token-file': tokenFile } = options
  if (tenant === undefined) return '--tenant is missing'
  if (!TENANT_ID.test(tenant)) return `--tenant '${tenant}' is not a tenant id`
  if (limit !== undefined && !NAME.test(limit)) return `--limit '${limit}' is not the name of a limit`
  if (scope !== undefined && !LIMIT_SCOPE.test(scope)) {
    return `--scope is tenant, route:NAME or credential:ID, not '${scope}'`
  }
  if (server === undefined) return '--server is missing: the address of --admin of a running service'
  const opened = openAdminClient(server, tokenFile, env)
  return opened.ok ? { client: opened.client, tenant, limit, scope } : opened.problem
}

/** `user=u1` of each, as the administration reads it; a text says what is wrong. */
export function byOf(entries: readonly string[] = []): Readonly<Record<string, string>> | string {
  const by = new Map<string, string>()
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    const name = entry.slice(0, equals)
    if (equals < 1) return `--by is written NAME=VALUE, such as user=u1, not '${entry}'`
    if (by.has(name)) return `--by ${name} is given twice`
    by.set(name, entry.slice(equals + 1))
  }
  return Object.fromEntries(by)
}
