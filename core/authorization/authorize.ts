/** Do the principal's roles and scopes open this route? */
import type { Refusal } from '../credentials/verdict.ts'
import type { Route } from '../policy.ts'

/** Whose rights are asked: the principal's alone, never those of several credentials added up. */
export interface Rights {
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}

const NOBODY: Rights = { roles: [], scopes: [] }

const NO_MATCH: Refusal = { denied: 'no_matching_route', because: 'no route matches host, method and path' }

/**
 * Why this request may not go this way: no route is open for it, or `asksRights` and what the route wants is not held.
 */
export function refusedEntry(
  route: Route | undefined,
  principal: Rights | undefined,
  asksRights: boolean,
): Refusal | undefined {
  if (!route) return NO_MATCH
  // an anonymous route asks nobody for rights; on any other nobody stands only in shadow, and has none
  const rights = principal ?? (route.anonymous === false ? NOBODY : undefined)
  return asksRights && rights ? refusedRights(route, rights) : undefined
}

/** The refusal, or undefined where the route is open. */
export function refusedRights({ require }: Route, { roles, scopes }: Rights): Refusal | undefined {
  const scope = lacking(require.scopes, require.anyScope, scopes)
  if (scope) return { denied: 'insufficient_scope', because: `lacks scope ${scope}` }
  const role = lacking(require.roles, require.anyRole, roles)
  if (role) return { denied: 'insufficient_role', because: `lacks role ${role}` }
  return undefined
}

/** What is missing, in words: the first of `all` that is not held, or the whole of `any` when none is. */
function lacking(all: readonly string[], any: readonly string[], held: readonly string[]): string | undefined {
  for (const wanted of all) if (!held.includes(wanted)) return `'${wanted}'`
  if (any.length === 0 || any.some((wanted) => held.includes(wanted))) return undefined
  return `one of ${any.map((wanted) => `'${wanted}'`).join(', ')}`
}
