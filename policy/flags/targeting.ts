/** Whether a targeting rule is one: the one thing that is wrong with it, where it stands. */

import { HEADER_PREFIX } from '../../core/flags/context.ts'
import { nearest } from '../nearest.ts'
import type { PolicyPath } from '../problem.ts'
import { MOST_LEVELS } from './bounds.ts'
import { COMPARISONS, OPERATORS, type Operator, REFERENCE, ruleOf } from './operators.ts'
import { variableFault } from './variable.ts'
import { kindOf, type Report, shortened, unknown } from './words.ts'

/** What a rule is looked at with. */
export interface Looking {
  readonly report: Report
  /** Takes what is accepted, and perhaps not what was meant. */
  readonly note: Report
  /** Of requests, in lower case: those that rules may read. */
  readonly headers: readonly string[]
  /** Names under `$evaluators`. */
  readonly evaluators: ReadonlySet<string>
}

/** Where in a rule we are. */
interface Spot {
  readonly path: PolicyPath
  readonly levels: number
  /** The operator whose body this is in, which is done with each item of a list. */
  readonly body?: string
}

/** `rule` is a flag's `targeting`, or one of `$evaluators`. */
export function checkTargeting(rule: unknown, path: PolicyPath, looking: Looking): void {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    looking.report({ path, message: `is ${kindOf(rule)} and no rule`, fix: 'a map, such as `{ "if": [ … ] }`' })
    return
  }
  checkOperand(rule, { path, levels: 0 }, looking)
}

/** Anything that may stand as an operand: a rule, a value, a list of these. */
function checkOperand(node: unknown, spot: Spot, looking: Looking): void {
  if (typeof node !== 'object' || node === null) return
  const { path, levels } = spot
  // what is deeper is refused by its measure
  if (levels > MOST_LEVELS) return
  if (Array.isArray(node)) {
    if (spot.body !== undefined && holdsRule(node)) {
      const message = `builds a list for each item of \`${spot.body}\`, by which results could grow without end`
      looking.report({ path, message, fix: 'a list of plain values' })
      return
    }
    for (const [index, item] of node.entries()) checkOperand(item, deeper(spot, index), looking)
    return
  }
  const rules = Object.entries(node)
  const [first] = rules
  if (first === undefined) return
  if (rules.length > 1) {
    const names = rules.slice(0, 3).map(([name]) => `\`${name}\``)
    looking.report({
      path,
      message: `holds several operators (${names.join(', ')}); a map is one`,
      fix: '`{ "and": [ … ] }`',
    })
    return
  }
  checkRule(first[0], first[1], { ...spot, path: [...path, first[0]] }, looking)
}

function deeper(spot: Spot, ...steps: PolicyPath): Spot {
  return { ...spot, path: [...spot.path, ...steps], levels: spot.levels + 1 }
}

function holdsRule(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  return Array.isArray(node) ? node.some(holdsRule) : Object.keys(node).length > 0
}

function checkRule(name: string, operands: unknown, spot: Spot, looking: Looking): void {
  const { path, body } = spot
  if (name === REFERENCE) {
    if (typeof operands !== 'string') looking.report({ path, message: 'is no name of an evaluator', fix: 'a text' })
    else if (!looking.evaluators.has(operands)) {
      looking.report(() => unknown(path, 'rule in `$evaluators` named', operands, looking.evaluators))
    }
    return
  }
  const operator = OPERATORS.get(name)
  if (operator === undefined) {
    looking.report(() => ({
      path,
      at: 'key',
      message: `is no operator that flagd knows${meant(name, OPERATORS.keys())}`,
    }))
    return
  }
  const misfit = body === undefined ? undefined : misfitIn(body, name)
  if (misfit !== undefined) {
    looking.report({
      path,
      at: 'key',
      message: `stands in what \`${body}\` does with each item, ${misfit}`,
      fix: 'it outside',
    })
    return
  }
  if (!Array.isArray(operands)) checkAlone(name, operator, operands, spot, looking)
  else if (operands.length < operator.least || operands.length > operator.most) {
    looking.report({ path, message: `takes ${howMany(operator)}, and has ${operands.length}` })
  } else if (operator.takes !== undefined) CHECKS[operator.takes](operands, spot, looking)
  else
    for (const [index, operand] of operands.entries())
      checkOperand(operand, within(name, operator, index, spot), looking)
}

const GROWING: readonly string[] = ['cat', 'merge']
const OF_FLAGD: readonly string[] = ['fractional', 'sem_ver', 'starts_with', 'ends_with']

/** Why an operator cannot stand in what another does with each item of a list. */
function misfitIn(body: string, name: string): string | undefined {
  // they ask the item for what flagd has put beside it in the context, and fail
  if (OF_FLAGD.includes(name)) return 'where it always fails'
  const grows = GROWING.includes(name) || (name === 'map' && body === 'reduce')
  return grows ? 'by which results could grow without end' : undefined
}

function within(name: string, { iterates }: Operator, index: number, spot: Spot): Spot {
  const operand = deeper(spot, index)
  // what is in a `reduce` stays in it
  return iterates && index === 1 ? { ...operand, body: spot.body === 'reduce' ? 'reduce' : name } : operand
}

function checkAlone(name: string, { alone, takes }: Operator, operand: unknown, spot: Spot, looking: Looking): void {
  if (takes === 'variable') CHECKS.variable([operand], spot, looking)
  else if (alone) checkOperand(operand, deeper(spot), looking)
  else looking.report({ path: spot.path, message: `is ${kindOf(operand)}`, fix: `\`{ "${name}": [ … ] }\`` })
}

function howMany({ least, most }: Operator): string {
  if (least === most) return least === 1 ? 'one operand' : `${least} operands`
  return most === Number.POSITIVE_INFINITY ? `${least} operands or more` : `${least} to ${most} operands`
}

type Check = (operands: readonly unknown[], spot: Spot, looking: Looking) => void

const CHECKS: Readonly<Record<NonNullable<Operator['takes']>, Check>> = {
  texts(operands, spot, looking) {
    for (const [index, operand] of operands.entries()) {
      const at = deeper(spot, index)
      if (typeof operand === 'string') continue
      if (ruleOf(operand)) checkOperand(operand, at, looking)
      else
        looking.report({
          path: at.path,
          message: `is ${kindOf(operand)}, and only texts are compared here`,
          fix: 'a text',
        })
    }
  },
  versions([first, comparison, second], spot, looking) {
    checkVersion(first, deeper(spot, 0), looking)
    if (typeof comparison !== 'string' || !COMPARISONS.includes(comparison)) {
      const fix = `one of ${COMPARISONS.map((one) => `\`${one}\``).join(', ')}`
      looking.report({ path: [...spot.path, 1], message: 'is no comparison of versions', fix })
    }
    checkVersion(second, deeper(spot, 2), looking)
  },
  buckets(operands, spot, looking) {
    const [first] = operands
    const hasKey = ruleOf(first) !== undefined
    if (hasKey) checkOperand(first, deeper(spot, 0), looking)
    const buckets = operands.slice(hasKey ? 1 : 0)
    if (buckets.length === 0) looking.report({ path: spot.path, message: 'has no buckets', fix: BUCKET })
    let sum = 0
    for (const [index, bucket] of buckets.entries())
      sum += checkBucket(bucket, deeper(spot, index + (hasKey ? 1 : 0)), looking)
    if (sum > MOST_WEIGHT)
      looking.report({ path: spot.path, message: `has weights of more than ${MOST_WEIGHT} together` })
  },
  variable([name, fallback, ...more], spot, looking) {
    const { path } = spot
    if (more.length > 0 || (typeof fallback === 'object' && fallback !== null)) {
      looking.report({ path, message: 'is not a name with a plain value behind it', fix: '`["name", "default"]`' })
    } else if (typeof name === 'string') {
      const fault = variableFault(name)
      if (fault) looking.report({ path, ...fault })
      else noteHeader(name, spot, looking)
    } else if (typeof name !== 'number' && name !== null) {
      looking.report({ path, message: `is ${kindOf(name)} and no name of a variable`, fix: 'its name as a text' })
    }
  },
  names(operands, spot, looking) {
    for (const [index, name] of operands.entries()) checkName(name, deeper(spot, index), looking)
  },
  countAndNames([count, names], spot, looking) {
    const { path } = spot
    if (typeof count !== 'number')
      looking.report({ path: [...path, 0], message: 'is not how many are needed', fix: 'a number' })
    if (!Array.isArray(names))
      looking.report({ path: [...path, 1], message: 'is no list of variables', fix: '`["a", "b"]`' })
    else for (const [index, name] of names.entries()) checkName(name, deeper(spot, 1, index), looking)
  },
}

function checkName(name: unknown, spot: Spot, looking: Looking): void {
  if (typeof name === 'string') noteHeader(name, spot, looking)
  else looking.report({ path: spot.path, message: `is ${kindOf(name)} and no name of a variable`, fix: 'a text' })
}

/** A header that rules may not read is in no context, whatever was sent. In a body a name is one of the item. */
function noteHeader(name: string, { path, body }: Spot, { headers, note }: Looking): void {
  const header = name.slice(HEADER_PREFIX.length)
  if (body !== undefined || !name.startsWith(HEADER_PREFIX) || headers.includes(header)) return
  note(() => {
    const known = headers.map((one) => HEADER_PREFIX + one)
    const message = `\`flags.headers\` of the policy names no header \`${shortened(header)}\`, so that it is never there`
    return { path, message: `${message}${meant(name, known)}` }
  })
}

/** Of a word that nobody knows. */
function meant(word: string, known: Iterable<string>): string {
  const guess = nearest(word, known)
  return guess === undefined ? '' : `; did you mean \`${guess}\`?`
}

/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string */
const NUMBER = '(?:0|[1-9]\\d*)'
const PART = `(?:${NUMBER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)`
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PART}(?:\\.${PART})*)?(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`,
)

function checkVersion(operand: unknown, { path, levels }: Spot, looking: Looking): void {
  if (typeof operand === 'string' && VERSION.test(operand)) return
  if (ruleOf(operand)?.[0] === 'var') checkOperand(operand, { path, levels }, looking)
  else looking.report({ path, message: 'is neither a version nor a variable', fix: '`"1.2.0"` or `{ "var": … }`' })
}

const MOST_WEIGHT = 2 ** 31 - 1
const BUCKET = 'buckets such as `["canary", 5]`'

/** Its weight, as far as it is known before a request comes. */
function checkBucket(bucket: unknown, spot: Spot, looking: Looking): number {
  const { path } = spot
  if (!Array.isArray(bucket) || bucket.length < 1 || bucket.length > 2) {
    looking.report({ path, message: 'is no bucket: a variant and its weight', fix: '`["canary", 5]`' })
    return 0
  }
  const [variant, weight = 1] = bucket
  checkOperand(variant, deeper(spot, 0), looking)
  if (ruleOf(weight)) {
    checkOperand(weight, deeper(spot, 1), looking)
    return 0
  }
  if (typeof weight === 'number' && Number.isInteger(weight) && weight >= 0) return weight
  looking.report({ path: [...path, 1], message: 'is not a weight: a whole number, 0 or more', fix: 'a whole number' })
  return 0
}
