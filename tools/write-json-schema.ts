/** Writes `policy/policy.schema.json` from the schema that the parser uses; with no change it writes the same bytes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../package-root.ts'
import { jsonSchemaText } from '../policy/json-schema.ts'

writeFileSync(join(packageRoot, 'policy', 'policy.schema.json'), jsonSchemaText())
