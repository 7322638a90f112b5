/** Tables beside the large one, each with a policy of its own: what that policy cannot have, and what would change all its rows. */
import { describe } from 'vitest'
import { runTopics } from '../driver.ts'
import type { StartGateway } from '../gateway.ts'
import { otherTopics } from './other-cases.ts'
import { otherCredentials } from './other-credentials.ts'
import { credentialsInShadow, credentialsInShadowTopics, tenantsInShadow, tenantsInShadowTopics } from './shadow.ts'
import { switchedOff, switchedOffTopics } from './switched-off.ts'

export const SMALL_TABLES = [
  { topics: otherTopics, make: otherCredentials },
  { topics: credentialsInShadowTopics, make: credentialsInShadow },
  { topics: tenantsInShadowTopics, make: tenantsInShadow },
  { topics: switchedOffTopics, make: switchedOff },
]

/** All of them at one kind of gateway, which is started anew for each. */
export function runSmallTables(start: StartGateway): void {
  for (const { topics, make } of SMALL_TABLES) {
    describe(`under a policy of their own: ${topics.map(({ title }) => title).join(', ')}`, () =>
      runTopics(topics, make, start))
  }
}
