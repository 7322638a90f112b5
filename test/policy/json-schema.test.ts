/** The committed JSON Schema is what the parser's schema gives, and tells editors enough. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { jsonSchema, jsonSchemaText } from '../../policy/json-schema.ts'
import { parsePolicy } from '../../policy/parse.ts'

it('the committed policy.schema.json is current', () => {
  expect(readFileSync(join(packageRoot, 'policy', 'policy.schema.json'), 'utf8')).toBe(jsonSchemaText())
})

it('describes every key', () => {
  const undescribed: string[] = []
  const visit = (node: unknown, path: string) => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, value] of Object.entries(node)) {
      // what a limit must not be describes no key again
      if (key === 'not') continue
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

interface Shape {
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly const?: unknown
  readonly pattern?: string
  readonly uniqueItems?: boolean
  readonly not?: Shape
  readonly oneOf?: readonly Shape[]
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
}

/** As far as JSON Schema goes here: what an editor would say of a limit that has the right keys and types. */
function fits(value: unknown, shape: Shape): boolean {
  const { required = [], properties = {}, pattern, not, oneOf, anyOf } = shape
  const own = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  return (
    required.every((key) => Object.hasOwn(own, key)) &&
    Object.entries(properties).every(([key, inner]) => !Object.hasOwn(own, key) || fits(own[key], inner)) &&
    (!('const' in shape) || shape.const === value) &&
    (pattern === undefined || new RegExp(pattern, 'u').test(String(value))) &&
    !(shape.uniqueItems && Array.isArray(value) && new Set(value).size < value.length) &&
    !(not && fits(value, not)) &&
    (!oneOf || oneOf.filter((each) => fits(value, each)).length === 1) &&
    (!anyOf || anyOf.some((each) => fits(value, each)))
  )
}

describe('of a limit of a tenant an editor says what the parser says', () => {
  const limit = JSON.parse(jsonSchemaText()).properties.tenants.additionalProperties.properties.limits.items

  it.each<[boolean, object]>([
    [true, { quota: '1/day' }],
    [true, { rate: '5/s', burst: 3, weighted: true, delay: '5s' }],
    [true, { unlimited: true }],
    [true, { rate: '5/s', unit: 'requests', delay: '1s' }],
    [true, { rate: '5/s', unit: 'content-bytes' }],
    [true, { rate: '5/s', delay: '1s', mode: 'enforce' }],
    [true, { rate: '5/s', by: ['user', 'ip'] }],
    [true, { rate: '5/s', delay: '1ms' }],
    [true, { rate: '5/s', delay: '999ms' }],
    [true, { rate: '5/s', delay: '4999ms' }],
    [true, { rate: '5/s', delay: '5000ms' }],
    [false, {}],
    [false, { rate: '5/s', quota: '1/day' }],
    [false, { rate: '5/s', quota: '1/day', burst: 3 }],
    [false, { rate: '5/s', quota: '1/day', weighted: true }],
    [false, { rate: '5/s', quota: '1/day', delay: '1s' }],
    [false, { rate: '5/s', unlimited: true }],
    [false, { rate: '5/s', unlimited: true, burst: 3 }],
    [false, { quota: '1/day', unlimited: true }],
    [false, { rate: '5/s', quota: '1/day', unlimited: true }],
    [false, { quota: '1/day', burst: 3 }],
    [false, { quota: '1/day', weighted: false }],
    [false, { quota: '1/day', delay: '1s' }],
    [false, { unlimited: true, burst: 3 }],
    [false, { unlimited: true, mode: 'shadow' }],
    [true, { rate: '5/s', exact: true, onStoreFailure: 'deny', mode: 'shadow' }],
    [true, { quota: '1/day', exact: false, onStoreFailure: 'allow' }],
    [false, { unlimited: true, exact: true }],
    [false, { unlimited: true, onStoreFailure: 'local' }],
    [false, { rate: '5/s', unit: 'content-bytes', delay: '1s' }],
    [false, { rate: '5/s', unit: 'content-bytes', weighted: true }],
    [false, { rate: '5/s', delay: '1s', mode: 'shadow' }],
    [false, { rate: '5/s', by: ['user', 'user'] }],
    [false, { rate: '5/s', delay: '0ms' }],
    [false, { rate: '5/s', delay: '5001ms' }],
    [false, { rate: '5/s', delay: '6s' }],
    [false, { rate: '5/s', delay: '1m' }],
  ])('%s: %j', (isGood, more) => {
    const named = { name: 'daily', ...more }
    const text = JSON.stringify({
      version: 1,
      plans: { pro: { limits: [{ name: 'daily', quota: '5/day' }] } },
      tenants: { acme: { plan: 'pro', limits: [named] } },
      routes: [{ name: 'all', match: { path: '/**' } }],
    })
    const readFile = () => ({ failure: 'does not exist' })
    expect(parsePolicy(text, { file: 'policy.yaml', readFile, env: {} }).ok).toBe(isGood)
    expect(fits(named, limit)).toBe(isGood)
  })
})
