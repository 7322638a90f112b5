/** Plain words for what the schema library finds; checks of our own bring theirs along (`refusal`). */
import type { z } from 'zod'
import type { Fault, PolicyPath } from './problem.ts'

export type Issue = z.core.$ZodIssue

/** Whether a text was probably meant as a boolean. */
export function isOldBoolean(input: unknown): input is string {
  return typeof input === 'string' && Object.hasOwn(OLD_BOOLEANS, input.toLowerCase())
}

/** A key that has to be there. */
export function missing(path: PolicyPath, issue: Issue): Fault {
  const only = issue.code === 'invalid_value' && issue.values.length === 1 ? String(issue.values[0]) : '…'
  return { path, message: 'is missing', fix: `\`${path.at(-1)}: ${only}\`` }
}

/** What is wrong with a value, without telling the value. */
export function messageOf(issue: Issue, input: unknown): string {
  if (issue.code === 'invalid_type') return `is ${kindOf(input)}`
  if (issue.code === 'invalid_value') {
    const isOfKind = issue.values.some((value) => typeof value === typeof input)
    return isOfKind ? 'is not a value that is known here' : `is ${kindOf(input)}`
  }
  if (issue.code === 'too_small') return Array.isArray(input) || input === '' ? 'is empty' : `is below ${issue.minimum}`
  if (issue.code === 'too_big') return Array.isArray(input) ? 'has too many entries' : `is above ${issue.maximum}`
  return 'is not valid here'
}

function kindOf(input: unknown): string {
  if (input === null) return 'empty'
  if (Array.isArray(input)) return 'a list'
  return KINDS[typeof input] ?? 'of another kind'
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text, in quotes where it looks like something else,',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list such as `[a, b]`',
  object: 'a map of keys and values',
  record: 'a map of names',
}

/** What people write for true and false under YAML 1.1 or in quotes, which reads as text here. */
const OLD_BOOLEANS: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  y: true,
  no: false,
  off: false,
  n: false,
}

/** What to write instead, where it is known. */
export function fixOf(issue: Issue, input: unknown): { readonly fix?: string } {
  if (issue.code === 'invalid_type') {
    if (issue.expected === 'boolean' && isOldBoolean(input)) return { fix: `\`${OLD_BOOLEANS[input.toLowerCase()]}\`` }
    if (issue.expected === 'string' && (typeof input === 'number' || typeof input === 'boolean'))
      return { fix: 'it in quotes' }
    const fix = EXPECTED[issue.expected]
    return fix === undefined ? {} : { fix }
  }
  if (issue.code === 'invalid_value') return { fix: issue.values.map((value) => `\`${String(value)}\``).join(' or ') }
  if (issue.code === 'too_small')
    return { fix: Array.isArray(input) || input === '' ? 'at least one' : `${issue.minimum} or more` }
  if (issue.code === 'too_big') return { fix: `${issue.maximum} or ${Array.isArray(input) ? 'fewer' : 'less'}` }
  return {}
}
