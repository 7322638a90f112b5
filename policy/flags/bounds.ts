/** How much flags may ask of a decision: counted on the file, before anything of it is expanded or run. */
import { MOST_ENTRIES } from '../../core/names.ts'
import { OPERATORS, REFERENCE, ruleOf } from './operators.ts'

/** Of the file. */
export const MOST_BYTES = 1024 * 1024
/** Of the file with its evaluators in their places. */
export const MOST_EXPANDED = 4 * 1024 * 1024
/** And as many rules under `$evaluators`. */
export const MOST_FLAGS = 1000
/** Of one flag. */
export const MOST_VARIANTS = 1000
/** Of operators, and of lists in lists, in each other. */
export const MOST_LEVELS = 32
/** Steps of one evaluation, as `costOf` estimates them. */
export const MOST_STEPS = 100_000
/**
 * Operators of one flag, and characters of its rule's JSON, with evaluators and rollout in place: the first decision that asks for the flag
 * compiles the whole rule, and whoever comes meanwhile waits. Each operator takes some 5 to 10 µs, a long list some 60 ns a character.
 */
export const MOST_OPERATORS = 2500
export const MOST_CHARACTERS = 256 * 1024
/** How long a list is taken to be that comes with the request, such as the roles. */
export const LIST_OF_A_REQUEST = MOST_ENTRIES

/** Brackets in each other in the whole file: no operator needs more than three, and some stand around them. */
export const MOST_BRACKETS = 3 * MOST_LEVELS + 32

/** Of a text that is compared or joined. */
const CHARACTERS_OF_A_STEP = 100
/** A text that comes with a request is taken to be this long, in characters. */
const TEXT_OF_A_REQUEST = 1024
/** Those that look at all of a text. */
const READS_TEXTS: ReadonlySet<string> = new Set([
  'cat',
  'in',
  'substr',
  'starts_with',
  'ends_with',
  'fractional',
  'sem_ver',
])

/** What a rule comes to with what it refers to in place. */
export interface Extent {
  /** Characters of its JSON. */
  readonly size: number
  readonly levels: number
  readonly operators: number
  /** Values and operators that are looked at, each as often as it is done. */
  readonly steps: number
  /** The longest list in it, or that it makes. */
  readonly longest: number
}

/** Of `null`, `{}` or what cannot be put in place. */
export const NOTHING: Extent = { size: 4, levels: 0, operators: 0, steps: 1, longest: 0 }

/**
 * `extentOf` tells of a rule of `$evaluators`. What is done with each item of a list counts as often as the list has items: one that is
 * written there has its own length, any other is taken to be `longest` long.
 */
export function measure(node: unknown, longest: number, extentOf: (name: string) => Extent): Extent {
  if (typeof node === 'string') {
    return { ...NOTHING, size: JSON.stringify(node).length, steps: 1 + Math.floor(node.length / CHARACTERS_OF_A_STEP) }
  }
  if (typeof node !== 'object' || node === null) return { ...NOTHING, size: String(node).length }
  const inner = (one: unknown) => measure(one, longest, extentOf)
  if (Array.isArray(node)) return sum(node.map(inner), node.length)
  const rule = ruleOf(node)
  if (rule === undefined) return NOTHING
  const [name, operands] = rule
  if (name === REFERENCE) return extentOf(String(operands))
  const list: readonly unknown[] = Array.isArray(operands) ? operands : [operands]
  const extents = list.map(inner)
  const whole = sum(extents, name === 'merge' ? mergedLength(extents) : 0)
  const steps =
    whole.steps + moreSteps(name, list, extents, longest) + stepsOfNames(name, list) + stepsOfTexts(name, list)
  return { ...whole, size: whole.size + JSON.stringify(name).length + 3, operators: whole.operators + 1, steps }
}

function sum(extents: readonly Extent[], length: number): Extent {
  let size = 2
  let levels = 0
  let operators = 0
  let steps = 1
  let longest = length
  for (const extent of extents) {
    size += extent.size + 1
    levels = Math.max(levels, extent.levels)
    operators += extent.operators
    steps += extent.steps
    longest = Math.max(longest, extent.longest)
  }
  return { size, levels: levels + 1, operators, steps, longest }
}

/** How long a list `merge` makes, at most. */
function mergedLength(extents: readonly Extent[]): number {
  return extents.reduce((all, { longest }) => all + Math.max(longest, LIST_OF_A_REQUEST), 0)
}

/** Of an operator that goes through a list. */
function moreSteps(
  name: string,
  [first, second]: readonly unknown[],
  extents: readonly Extent[],
  longest: number,
): number {
  if (OPERATORS.get(name)?.iterates) return (Array.isArray(first) ? first.length : longest) * (extents[1]?.steps ?? 0)
  return name === 'in' && ruleOf(second) !== undefined ? longest : 0
}

/** Of an operator that reads variables: each part of a name between dots is up to three look-ups, as the library compiles it. */
function stepsOfNames(name: string, operands: readonly unknown[]): number {
  if (name === 'missing_some') return stepsOfNames('missing', Array.isArray(operands[1]) ? operands[1] : [])
  if (name !== 'var' && name !== 'missing') return 0
  const names = name === 'var' ? operands.slice(0, 1) : operands
  return names.reduce<number>((sum, one) => sum + 3 * String(one).split('.').length, 0)
}

/** Of texts that are not written there, and are as long as they are. */
function stepsOfTexts(name: string, operands: readonly unknown[]): number {
  if (!READS_TEXTS.has(name)) return 0
  const unwritten = operands.filter((operand) => ruleOf(operand) !== undefined)
  return unwritten.length * Math.floor(TEXT_OF_A_REQUEST / CHARACTERS_OF_A_STEP)
}
