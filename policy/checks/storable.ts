/** Whether names can be looked up in a store, which knows texts as UTF-8. */
import type { Fault } from '../problem.ts'

const HALF = /\p{Surrogate}/u

interface Named {
  readonly tenants: Readonly<Record<string, { readonly aliases: readonly string[] }>>
}

/** Half of a surrogate pair is a text in YAML and JSON, and none in UTF-8: several such names would be one. */
export function checkStorable({ tenants }: Named): readonly Fault[] {
  return Object.entries(tenants).flatMap(([id, { aliases }]) =>
    [...aliases.entries()]
      .filter(([, alias]) => HALF.test(alias))
      .map(([index]) => ({
        path: ['tenants', id, 'aliases', index],
        message: 'is not a text that every program can read: it holds half of a character',
        fix: 'the whole character',
      })),
  )
}
