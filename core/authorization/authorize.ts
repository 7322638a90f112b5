/** Do the principal's roles and scopes open this route? */
import type { Refusal } from '../credentials/verdict.ts'
import type { Route } from '../policy.ts'

/** Whose rights are asked: the principal's alone, never those of several credentials added up. */
export interface Rights {
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
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
  const missing = all.find((wanted) => !held.includes(wanted))
  if (missing !== undefined) return `'${missing}'`
  if (any.length === 0 || any.some((wanted) => held.includes(wanted))) return undefined
  return `one of ${any.map((wanted) => `'${wanted}'`).join(', ')}`
}
