/** The committed JSON Schema is what the parser's schema gives, and tells editors enough. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { jsonSchema, jsonSchemaText } from '../../policy/json-schema.ts'

it('the committed policy.schema.json is current', () => {
  expect(readFileSync(join(packageRoot, 'policy', 'policy.schema.json'), 'utf8')).toBe(jsonSchemaText())
})

it('describes every key', () => {
  const undescribed: string[] = []
  const visit = (node: unknown, path: string) => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties') {
        for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
          if (!property.description) undescribed.push(`${path}.${name}`)
        }
      }
      visit(value, `${path}.${key}`)
    }
  }
  visit(jsonSchema(), '')
  expect(undescribed).toEqual([])
})
