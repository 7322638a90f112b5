/** `tenant-auth`: who calls, for which tenant, and may he: tells backends and Kong's own plugins. */
import { ownDecider } from '../cli/kong/own-decider.ts'
import { definePlugin } from '../kong/plugin.ts'
import { SCHEMAS } from '../kong/plugin-config.ts'
import { version } from '../kong/version.ts'

export const Version = version
/** Before acl (950) and rate-limiting (910), which read the consumer; after `tenant-gate`. */
export const Priority = 1235
export const Schema = SCHEMAS.auth
export const Plugin = definePlugin('auth', ownDecider)
