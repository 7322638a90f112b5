/** `{ env: NAME }` or `{ file: path }`: where a secret is. It never stands in the policy itself. */
import { z } from 'zod'
import { refusal } from './words.ts'

const noLiteral = refusal('a secret is never written in a policy', '`{ env: NAME }` or `{ file: path }`')

export const secretReference = z
  .strictObject(
    {
      env: z
        .string()
        .regex(/^[A-Za-z_]\w*$/, refusal('is not the name of an environment variable', 'a name such as `ACME_SECRET`'))
        .optional()
        .describe('The environment variable that holds the secret.'),
      file: z.string().min(1).optional().describe('The file that holds the secret; one newline at its end is ignored.'),
    },
    { error: ({ code }) => (code === 'invalid_type' ? noLiteral : undefined) },
  )
  .superRefine((value, context) => {
    if ((value.env === undefined) === (value.file === undefined)) {
      const message = refusal('names where the secret is in exactly one way', '`{ env: NAME }` or `{ file: path }`')
      context.addIssue({ code: 'custom', message })
    }
  })
  .meta({ oneOf: [{ required: ['env'] }, { required: ['file'] }] })

export type SecretReference = z.output<typeof secretReference>
