/**
 * The table: what every gateway with tenantgate behind it must do, the same for all of them.
 *
 * A case is one request, or a few in a row, and what must come of it: the answer, and what reached which backend. How a case
 * is written stands in `case.ts`; the policy that all of them are decided by in `policy.ts`; the keys and tokens, called by
 * their names (`acme key`, `ann at acme token`), in `credentials.ts`; what a backend is to be told of each caller in
 * `callers.ts`. `check.ts` adds the laws that hold for every answer.
 */
import type { Topic } from './case.ts'
import { anonymous } from './cases/anonymous.ts'
import { apiKeys } from './cases/api-keys.ts'
import { headerAttacks } from './cases/attacks/headers.ts'
import { hostAttacks } from './cases/attacks/hosts.ts'
import { keyAttacks } from './cases/attacks/keys.ts'
import { pathAttacks } from './cases/attacks/paths.ts'
import { tokenAttacks } from './cases/attacks/tokens.ts'
import { clients } from './cases/clients.ts'
import { countedBy } from './cases/counted-by.ts'
import { delays } from './cases/delays.ts'
import { denials } from './cases/denials.ts'
import { identityHeaders } from './cases/identity-headers.ts'
import { limits } from './cases/limits.ts'
import { overrides } from './cases/overrides.ts'
import { paths } from './cases/paths.ts'
import { routes } from './cases/routes.ts'
import { shadow } from './cases/shadow.ts'
import { tenants } from './cases/tenants.ts'
import { tokens } from './cases/tokens.ts'
import { upstreams } from './cases/upstreams.ts'

export const topics: readonly Topic[] = [
  paths,
  routes,
  apiKeys,
  tokens,
  tenants,
  anonymous,
  identityHeaders,
  denials,
  limits,
  countedBy,
  delays,
  upstreams,
  overrides,
  clients,
  shadow,
  pathAttacks,
  keyAttacks,
  hostAttacks,
  headerAttacks,
  tokenAttacks,
]
