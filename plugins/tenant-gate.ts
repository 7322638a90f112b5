/** `tenant-gate`: all that the policy asks of a request, in one plugin and the fewest calls. */
import { ownDecider } from '../cli/kong/own-decider.ts'
import { definePlugin } from '../kong/plugin.ts'
import { SCHEMAS } from '../kong/plugin-config.ts'
import { version } from '../kong/version.ts'

export const Version = version
/** After cors (2000), so that preflights are answered, and after key-auth (1250); before acl (950). */
export const Priority = 1240
export const Schema = SCHEMAS.gate
export const Plugin = definePlugin('gate', ownDecider)
