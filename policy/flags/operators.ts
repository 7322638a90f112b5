/** The operators of targeting rules, and what each takes: JSON Logic's, as flagd knows them, and flagd's own. */

export interface Operator {
  /** How many operands. */
  readonly least: number
  readonly most: number
  /** The operand may stand alone, without a list around it. */
  readonly alone?: true
  /** What its operands must be, where any rule or value will not do. */
  readonly takes?: 'texts' | 'versions' | 'buckets' | 'variable' | 'names' | 'countAndNames'
  /** Its second operand is done with each item of its first. */
  readonly iterates?: true
}

const ANY = Number.POSITIVE_INFINITY
const two: Operator = { least: 2, most: 2 }
const some: Operator = { least: 1, most: ANY }
const one: Operator = { least: 1, most: 1, alone: true }
const each: Operator = { least: 2, most: 2, iterates: true }
const texts: Operator = { least: 2, most: 2, takes: 'texts' }

/** https://flagd.dev/reference/schema/v0/targeting.json */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['if', some],
  ...['==', '===', '!=', '!==', '>', '>=', '%', '/', 'in'].map((name) => [name, two] as const),
  ...['<', '<=', 'substr'].map((name) => [name, { least: 2, most: 3 }] as const),
  ['*', { least: 2, most: ANY }],
  ...['or', 'and', '+', '-', 'max', 'min', 'merge', 'cat'].map((name) => [name, some] as const),
  ['!', one],
  ['!!', one],
  ...['map', 'filter', 'all', 'none', 'some'].map((name) => [name, each] as const),
  ['reduce', { least: 3, most: 3, iterates: true }],
  ['starts_with', texts],
  ['ends_with', texts],
  ['sem_ver', { least: 3, most: 3, takes: 'versions' }],
  ['fractional', { least: 1, most: ANY, takes: 'buckets' }],
  ['var', { least: 1, most: 2, takes: 'variable' }],
  ['missing', { least: 0, most: ANY, takes: 'names' }],
  ['missing_some', { least: 2, most: 2, takes: 'countAndNames' }],
])

/** What stands for a rule of `$evaluators`. */
export const REFERENCE = '$ref'

export const COMPARISONS: readonly string[] = ['=', '!=', '>', '<', '>=', '<=', '~', '^']

/** The operator of a rule and its operands as they stand; undefined for what is no rule. */
export function ruleOf(node: unknown): readonly [name: string, operands: unknown] | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return undefined
  return Object.entries(node)[0]
}
