/** Flags that the backend is told of, in trusted headers that the policy names. */
import type { JsonValue } from '@openfeature/core'
import { headerValue } from '../identity/header-value.ts'
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { Identity } from '../policy.ts'
import type { Asked, Resolved } from './resolve.ts'

/** One header, and what its flag has come to. */
export interface Told {
  readonly header: string
  /** Undefined where the flag is off or broken, or its value does not fit into a header. */
  readonly value: string | undefined
  readonly by: Resolved
}

const NOTHING: readonly Told[] = []

/** Asks all of them at once: none waits for another. */
export function tellBackend({ headers }: Identity, asked: Asked): MaybePromise<readonly Told[]> {
  let told: MaybePromise<Told>[] | undefined
  for (const [header, source] of headers) {
    if (source.kind !== 'flag') continue
    told ??= []
    told.push(after(asked.resolve(source.name, null), (by) => ({ header, value: textOf(by), by })))
  }
  if (!told) return NOTHING
  return areHere(told) ? told : Promise.all(told)
}

function areHere(told: readonly MaybePromise<Told>[]): told is readonly Told[] {
  return !told.some((one) => one instanceof Promise)
}

function textOf({ value, off, reason }: Resolved): string | undefined {
  if (off || reason === 'ERROR') return undefined
  return headerValue(isObject(value) ? compactJson(value) : value)
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON in ASCII alone: what is beyond it stands as an escape. */
function compactJson(value: JsonValue): string {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
