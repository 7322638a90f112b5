/** The JSON Schema of the policy file, for editors: made from the schema that the parser uses. */
import { z } from 'zod'
import { policySchema } from './schema.ts'

/** The schema of what a user writes, so that keys with a default are not required. */
export function jsonSchema() {
  return z.toJSONSchema(policySchema, { io: 'input' })
}

/** The text of `policy.schema.json`. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`
}
