/**
 * Every attack that we know of and answer for, and where it is shown that it fails. `docs/attacks.md` is its readable form;
 * `list.test.ts` proves that each case and each test that is named here exists.
 */
import { advisories } from './list/advisories.ts'
import { administration, failures, limits, memory, neighbours, routing } from './list/around.ts'
import type { Theme } from './list/attack.ts'
import { apiKeys, issuers, tokens } from './list/credentials.ts'
import { network } from './list/network.ts'
import { headers, hosts, paths } from './list/requests.ts'

export const themes: readonly Theme[] = [
  advisories,
  tokens,
  issuers,
  apiKeys,
  hosts,
  headers,
  paths,
  limits,
  memory,
  neighbours,
  failures,
  routing,
  administration,
  network,
]
