/** `flags:` where flags are defined, what targeting may read, who may choose for himself, and what is rolled out when. */
import { z } from 'zod'
import { NAME, TENANT_ID } from '../../core/names.ts'
import { instantMs } from '../units.ts'
import { distinct, HTTP_TOKEN, instant, refusal, role } from './words.ts'

const header = z
  .string()
  .regex(HTTP_TOKEN, refusal('is not the name of a header', 'a name such as `x-app-version`'))
  // a variable of a targeting rule is a path, cut at its dots
  .refine((name) => !name.includes('.'), {
    error: refusal('holds a dot, by which targeting rules cut a name in two', 'a name without'),
  })

const file = z.string().min(1).describe("A file of feature flags in flagd's JSON format, relative to the policy.")

const percent = z
  .number()
  .min(0, refusal('is below 0', 'a percentage from 0 to 100'))
  .max(100, refusal('is above 100', 'a percentage from 0 to 100'))
  .refine((value) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6, {
    error: refusal('is finer than a thousandth of a percent', 'at most three decimals'),
  })

const rollout = z
  .strictObject({
    variant: z.string().min(1).describe('Who more and more get, of those whom the flag would give its default.'),
    steps: z
      .array(
        z.strictObject({
          from: instant.describe('From when on, such as `2026-12-01T09:00:00Z`.'),
          percent: percent.describe('How many get it from then on, 0 to 100.'),
        }),
      )
      .min(1)
      .max(100)
      .describe('In the order of time; before the first nobody gets the variant.'),
  })
  .superRefine(({ steps }, context) => {
    for (const [index, { from }] of steps.entries()) {
      const at = instantMs(from)
      const before = instantMs(steps[index - 1]?.from ?? '')
      // what is no time has been told
      if (at === undefined || before === undefined || before < at) continue
      const message = refusal('is not later than the step before it', 'the steps in the order of time')
      context.addIssue({ code: 'custom', path: ['steps', index, 'from'], message })
    }
  })

const override = z
  .strictObject({
    header: header.describe('The header, whose value is such as `orders-backend=canary`. No backend sees it.'),
    anyRole: distinct(role()).default([]).describe('Roles of which one is enough.'),
    credentials: distinct(
      z.string().refine(
        (text) => {
          const [tenant = '', id = '', ...more] = text.split('/')
          return more.length === 0 && TENANT_ID.test(tenant) && NAME.test(id)
        },
        { error: refusal('is not a credential', 'its tenant and its id, such as `acme/ci`') },
      ),
    )
      .default([])
      .describe('Credentials, each as `tenant/id`.'),
  })
  .refine(({ anyRole, credentials }) => anyRole.length + credentials.length > 0, {
    error: refusal('allows nobody', '`anyRole:` or `credentials:`'),
  })

export const flags = z
  .union(
    [
      file,
      z
        .strictObject({
          file: file.optional(),
          provider: z
            .literal(true)
            .optional()
            .describe('In place of a file: the OpenFeature provider that `serve --flag-provider` loads.'),
          headers: distinct(header)
            .max(20)
            .default([])
            .describe('Request headers that targeting may read, as `{"var": "header:x-app-version"}`.'),
          override: override.optional().describe('Who may choose variants by a header.'),
          rollouts: z
            .record(z.string().min(1), rollout)
            .default({})
            .describe('By the flag: a variant that more and more get, at times that are known ahead.'),
        })
        .superRefine(({ file, provider, rollouts }, context) => {
          if ((file === undefined) === (provider === undefined)) {
            const message = refusal('needs a file, or a provider in its place', '`file: flags.json`')
            context.addIssue({ code: 'custom', message })
          }
          if (provider && Object.keys(rollouts).length > 0) {
            const message = refusal(
              'are for flags of a file; a provider has its own',
              '`file:` in place of `provider:`',
            )
            context.addIssue({ code: 'custom', path: ['rollouts'], message })
          }
        }),
    ],
    { error: refusal('is neither a file nor a map', '`flags.json`, or `{ file: flags.json }`') },
  )
  .optional()
  .describe('A file of feature flags, or a map with `file` and more.')
