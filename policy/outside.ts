/**
 * What a policy refers to outside itself is read through functions that are given: parsing touches no disk and no
 * environment.
 */
import type { Fault } from './problem.ts'

/** Names to values; what is not set is undefined. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a file that the policy names, or why it cannot be had, worded to follow the file's name. */
export type ReadReference = (path: string) => { readonly text: string } | { readonly failure: string }

export interface Outside {
  readonly read: ReadReference
  readonly env: Environment
}

/** What a reference leads to, or what is wrong with it. */
export type Resolved<T> = { readonly value: T } | { readonly fault: Fault }

/** The value of a JSON text, or undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
