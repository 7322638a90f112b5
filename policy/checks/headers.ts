/** Whether trusted headers are told of attributes that some tenant has. */
import type { Fault } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { unknownName } from './tenants.ts'

const ATTRIBUTE = 'attribute:'

/** An attribute that no tenant has would never be told, to nobody's notice. */
export function checkHeaders({ identity: { headers }, tenants }: PolicyFile): readonly Fault[] {
  const wanted = Object.entries(headers).flatMap(([header, source]) =>
    typeof source === 'string' && source.startsWith(ATTRIBUTE)
      ? [{ header, name: source.slice(ATTRIBUTE.length) }]
      : [],
  )
  if (wanted.length === 0) return []
  const known = new Set(Object.values(tenants).flatMap(({ attributes }) => Object.keys(attributes)))
  return wanted
    .filter(({ name }) => !known.has(name))
    .map(({ header, name }) => unknownName(['identity', 'headers', header], 'attribute', name, [...known]))
}
