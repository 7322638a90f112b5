/** `tenant-quota`: the limits of the tenant and of the route, charged once for a request. */
import { ownDecider } from '../cli/kong/own-decider.ts'
import { definePlugin } from '../kong/plugin.ts'
import { SCHEMAS } from '../kong/plugin-config.ts'
import { version } from '../kong/version.ts'

export const Version = version
/** After acl (950), so that what it refuses is not charged; before what only transforms (801). */
export const Priority = 906
export const Schema = SCHEMAS.quota
export const Plugin = definePlugin('quota', ownDecider)
