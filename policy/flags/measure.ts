/** Rules measured: how large they are, and how many steps they may take for one request. */
import { type Extent, type Lengths, LIST_OF_A_REQUEST, NOTHING } from './bounds.ts'
import { isList, lengthsOf } from './lengths.ts'
import { OPERATORS, REFERENCE, ruleOf } from './operators.ts'

/** What rules are measured with. */
export interface Measuring {
  /** How long a list is taken to be that is not written there. */
  readonly longest: number
  /** Of a rule of `$evaluators`. */
  readonly extentOf: (name: string) => Extent
  /** Of what variables are, in what is done with each item of a list. */
  readonly ofItem: Lengths | undefined
}

/** Of a text that is looked at as a whole. */
const CHARACTERS_OF_A_STEP = 100
/**
 * How often each operator goes through the texts that it is given. A comparison makes numbers of them to see whether they are some, and
 * once more to compare them.
 */
const READS: ReadonlyMap<string, number> = new Map([
  ...['==', '!=', '<', '<=', '>', '>='].map((name) => [name, 2] as const),
  ...['===', '!==', '+', '-', '*', '/', '%'].map((name) => [name, 1] as const),
  ...['cat', 'in', 'substr', 'starts_with', 'ends_with', 'sem_ver'].map((name) => [name, 1] as const),
])

/**
 * Of an operator of flagd that is given what it cannot use: the library makes an error of it, whose place is sought in all of the compiled
 * rule. At the end of a rule of 2,500 operators that takes some 130 µs.
 */
const STEPS_OF_AN_ERROR = 250
/** Of the hash of whom a flag is sticky for: its name and a user's. */
const STEPS_OF_A_KEY = 11
/** Of lists that `merge` makes one of. */
const ITEMS_OF_A_STEP = 32

/** What is done with each item of a list counts as often as the list has items. */
export function measure(node: unknown, measuring: Measuring): Extent {
  if (typeof node === 'string') {
    const { length } = node
    return { ...NOTHING, size: JSON.stringify(node).length, steps: 1 + stepsOf(length), text: length, item: length }
  }
  if (typeof node !== 'object' || node === null) return { ...NOTHING, size: String(node).length }
  if (Array.isArray(node)) {
    const items = node.map((one) => measure(one, measuring))
    return sum(items, node.length)
  }
  const rule = ruleOf(node)
  if (rule === undefined) return NOTHING
  const [name, operands] = rule
  if (name === REFERENCE) return measuring.extentOf(String(operands))
  return ofRule(name, Array.isArray(operands) ? operands : [operands], measuring)
}

function ofRule(name: string, operands: readonly unknown[], measuring: Measuring): Extent {
  const extents = measured(name, operands, measuring)
  const merged = name === 'merge' ? mergedLength(extents) : 0
  const whole = sum(extents, merged)
  const lengths = lengthsOf(name, operands, { ...measuring, extents })
  const more = [
    Math.floor(merged / ITEMS_OF_A_STEP),
    stepsOfLists(name, operands, extents, measuring),
    stepsOfNames(name, operands),
    stepsOfTexts(name, operands, extents, measuring.ofItem !== undefined),
    stepsOfErrors(name, operands),
  ]
  return {
    ...whole,
    ...lengths,
    size: whole.size + JSON.stringify(name).length + 3,
    operators: whole.operators + 1,
    steps: more.reduce((all, some) => all + some, whole.steps),
    joined: name === 'cat' ? Math.max(whole.joined, lengths.text) : whole.joined,
  }
}

/** The operands in their order, but for a body: it is shown what the others give. */
function measured(name: string, operands: readonly unknown[], measuring: Measuring): readonly Extent[] {
  if (!OPERATORS.get(name)?.iterates) return operands.map((operand) => measure(operand, measuring))
  const [list = null, body = null, ...start] = operands
  const ofList = measure(list, measuring)
  const ofStart = start.map((one) => measure(one, measuring))
  const before = name === 'reduce' ? longestWritten(body) : 0
  const item = ofStart.reduce((longest, { text }) => Math.max(longest, text), Math.max(ofList.item, before))
  return [ofList, measure(body, { ...measuring, ofItem: { text: item, item } }), ...ofStart]
}

/** The longest text that stands in a body, or list read as one: in `reduce` the body is shown what it has given before. */
function longestWritten(node: unknown): number {
  if (typeof node === 'string') return node.length
  if (typeof node !== 'object' || node === null) return 0
  const [, operands] = ruleOf(node) ?? []
  let longest = 0
  let whole = 0
  for (const one of Array.isArray(operands) ? operands : Object.values(node)) {
    const length = longestWritten(one)
    longest = Math.max(longest, length)
    whole += length + 1
  }
  return Array.isArray(node) ? whole : longest
}

function sum(extents: readonly Extent[], length: number): Extent {
  const whole = { size: 2, levels: 0, operators: 0, steps: 1, longest: length, joined: 0, text: 0, item: 0 }
  for (const extent of extents) {
    whole.size += extent.size + 1
    whole.levels = Math.max(whole.levels, extent.levels)
    whole.operators += extent.operators
    whole.steps += extent.steps
    whole.longest = Math.max(whole.longest, extent.longest)
    whole.joined = Math.max(whole.joined, extent.joined)
    whole.text += extent.text + 1
    whole.item = Math.max(whole.item, extent.text)
  }
  return { ...whole, levels: whole.levels + 1 }
}

/** How long a list `merge` makes, at most. */
function mergedLength(extents: readonly Extent[]): number {
  return extents.reduce((all, { longest }) => all + Math.max(longest, LIST_OF_A_REQUEST), 0)
}

function stepsOf(characters: number): number {
  return Math.floor(characters / CHARACTERS_OF_A_STEP)
}

/** Of an operator that goes through a list. */
function stepsOfLists(
  name: string,
  [first, second]: readonly unknown[],
  extents: readonly Extent[],
  { longest, ofItem }: Measuring,
): number {
  if (OPERATORS.get(name)?.iterates) return (Array.isArray(first) ? first.length : longest) * (extents[1]?.steps ?? 0)
  const isRule = name === 'in' && ruleOf(second) !== undefined
  return isRule && isList(second, ofItem !== undefined) !== 'never' ? longest : 0
}

/** Of each part of a name between dots: the library compiles `var` to up to three look-ups, and `missing` cuts names up each time. */
const STEPS_OF_A_NAME: ReadonlyMap<string, number> = new Map([
  ['var', 3],
  ['missing', 6],
])

/** Of an operator that reads variables. */
function stepsOfNames(name: string, operands: readonly unknown[]): number {
  if (name === 'missing_some') return stepsOfNames('missing', Array.isArray(operands[1]) ? operands[1] : [])
  const steps = STEPS_OF_A_NAME.get(name)
  if (steps === undefined) return 0
  const names = name === 'var' ? operands.slice(0, 1) : operands
  return names.reduce<number>((all, one) => all + steps * String(one).split('.').length, 0)
}

/** Of texts that are not written there, or not as texts. */
function stepsOfTexts(name: string, operands: readonly unknown[], extents: readonly Extent[], inBody: boolean): number {
  if (name === 'fractional') return ruleOf(operands[0]) ? stepsOf(extents[0]?.text ?? 0) : STEPS_OF_A_KEY
  const times = READS.get(name) ?? 0
  let steps = 0
  for (const [index, { text }] of extents.entries()) {
    const operand = operands[index]
    if (typeof operand !== 'object' || operand === null) continue
    // a list in which something is looked for is made no text
    const isRead = name !== 'in' || index === 0 || isList(operand, inBody) !== 'always'
    if (isRead) steps += times * stepsOf(text)
  }
  return steps
}

/** Of what flagd's operators may be given: no version, no text to hash, no variant, no whole number. */
function stepsOfErrors(name: string, operands: readonly unknown[]): number {
  if (name === 'sem_ver') return STEPS_OF_AN_ERROR * operands.filter((operand) => ruleOf(operand)).length
  if (name !== 'fractional' || operands.every(isPlainBucket)) return 0
  return STEPS_OF_AN_ERROR
}

function isPlainBucket(bucket: unknown): boolean {
  return Array.isArray(bucket) && !bucket.some((one) => typeof one === 'object' && one !== null)
}
