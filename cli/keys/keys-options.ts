/** What the verbs of `keys` and `tokens` share: what a policy would refuse, and how a key is told. */
import { holdsSecret } from '../../core/mask-secrets.ts'
import { KEY_ENVIRONMENT, KEY_ENVIRONMENT_WORDS, MOST_ENTRIES, NAME, ROLE, SCOPE, TENANT_ID } from '../../core/names.ts'
import { instantMs } from '../../policy/units.ts'

interface Named {
  readonly tenant?: string | undefined
  readonly id?: string | undefined
  readonly env?: string | undefined
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  readonly 'not-before'?: string | undefined
  readonly 'expires-at'?: string | undefined
}

/** What a policy would refuse in an entry with these words. */
export function unfitOption(named: Named): string | undefined {
  const { tenant, id, env, scopes = [], roles = [] } = named
  if (tenant !== undefined && !TENANT_ID.test(tenant)) return `--tenant '${tenant}' is not a tenant id`
  if (id !== undefined && holdsSecret(id)) return '--id is a key itself, and not what it is called'
  if (id !== undefined && !NAME.test(id)) return `--id '${id}' is not a name of letters, digits, dots, - and _`
  if (env !== undefined && !KEY_ENVIRONMENT.test(env)) return `--env takes ${KEY_ENVIRONMENT_WORDS}`
  for (const [option, list] of [
    ['scopes', scopes],
    ['roles', roles],
  ] as const) {
    if (list.length > MOST_ENTRIES) return `--${option} has more than ${MOST_ENTRIES} entries`
  }
  const scopeFault = scopes.find((entry) => !SCOPE.test(entry))
  if (scopeFault !== undefined) return `--scopes: '${scopeFault}' is not a scope`
  const roleFault = roles.find((entry) => !ROLE.test(entry))
  if (roleFault !== undefined) return `--roles: '${roleFault}' is not a role`
  for (const option of ['not-before', 'expires-at'] as const) {
    const text = named[option]
    if (text === undefined || instantMs(text) !== undefined) continue
    return `--${option} is a time such as 2027-01-01T00:00:00Z, not '${text}'`
  }
  return undefined
}

export function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

/** A key that nobody will be told again. */
export function shownOnce(key: string): string {
  return `key   ${key}
      shown this once: hand it to the client now
`
}

export interface KeyEntry {
  readonly id: string
  readonly hash: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** As the policy has them. */
  readonly limits?: readonly object[]
  readonly notBefore?: string | undefined
  readonly expiresAt?: string | undefined
}

/** The entry as a policy has it, on one line. */
export function entryLine({ id, hash, scopes, roles, limits = [], notBefore, expiresAt }: KeyEntry): string {
  const fields = [
    `id: ${id}`,
    `hash: "${hash}"`,
    `scopes: ${JSON.stringify(scopes)}`,
    ...(roles.length > 0 ? [`roles: ${JSON.stringify(roles)}`] : []),
    ...(limits.length > 0 ? [`limits: ${JSON.stringify(limits)}`] : []),
    ...(notBefore === undefined ? [] : [`notBefore: "${notBefore}"`]),
    ...(expiresAt === undefined ? [] : [`expiresAt: "${expiresAt}"`]),
  ]
  return `    - { ${fields.join(', ')} }\n`
}

/** What the process would forget with its end is said. */
export function unlessDurable(body: Readonly<Record<string, unknown>>): string {
  return body.durable === false
    ? 'kept in memory alone: the service runs without --state, and its end undoes this\n'
    : ''
}
