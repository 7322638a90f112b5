/** `tenant-flags`: which upstream serves the request: the route's default, or the one that a flag chooses. */
import { ownDecider } from '../cli/kong/own-decider.ts'
import { definePlugin } from '../kong/plugin.ts'
import { SCHEMAS } from '../kong/plugin-config.ts'
import { version } from '../kong/version.ts'

export const Version = version
/** After everything that refuses, before request-transformer (801) and proxy-cache (100). */
export const Priority = 850
export const Schema = SCHEMAS.flags
export const Plugin = definePlugin('flags', ownDecider)
