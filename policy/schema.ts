/** Version 1 of the policy file: the one source of the parser's checks and of the JSON Schema that editors use. */
import { z } from 'zod'
import { flags } from './schema/flags.ts'
import { identity } from './schema/identity.ts'
import { issuer } from './schema/issuers.ts'
import { limits } from './schema/limits.ts'
import { route } from './schema/routes.ts'
import { state } from './schema/state.ts'
import { tenant } from './schema/tenants.ts'
import { distinct, name, tenantId } from './schema/words.ts'

const plan = z.strictObject({
  limits: limits.default([]).describe('Apply to each tenant of the plan; `[]` is unlimited.'),
})

export const policySchema = z
  .strictObject({
    version: z.literal(1).describe('The version of this format: 1.'),
    identity,
    issuers: z.array(issuer).default([]).describe('Whose tokens are believed.'),
    plans: z.record(name('a plan'), plan).describe('What tenants may use, by the name of the plan.'),
    tenants: z.record(tenantId(), tenant).describe('The tenants, by id.'),
    upstreams: distinct(name('an upstream')).default([]).describe('Backends that routes may name.'),
    routes: z.array(route).min(1).describe('What is let through; nothing else is.'),
    flags,
    shadow: distinct(z.enum(['credentials', 'tenants', 'authorization', 'limits']))
      .default([])
      .describe('Whole stages that only observe: what they would refuse is logged and counted, and let through.'),
    state,
  })
  .meta({
    title: 'tenantgate policy',
    description: 'Tenants, plans, credentials, routes and flags of one gateway, version 1.',
  })

/** The file once its shape is known to be right, with defaults filled in. */
export type PolicyFile = z.output<typeof policySchema>
