/** Rules that several flags share, `$evaluators`: measured where they are referred to, and put in place. */
import { type Extent, LIST_OF_A_REQUEST, NOTHING } from './bounds.ts'
import { type Measuring, measure } from './measure.ts'
import { REFERENCE, ruleOf } from './operators.ts'

export type Evaluators = ReadonlyMap<string, unknown>

/** All that can be put in place, each after those that it refers to; a rule that comes back to itself can not, nor what refers to it. */
export function inOrder(evaluators: Evaluators): readonly string[] {
  const left = new Map([...evaluators].map(([name, rule]) => [name, new Set(referencesIn(rule))]))
  const usedBy = new Map<string, string[]>()
  for (const [name, references] of left) {
    for (const reference of references) usedBy.set(reference, [...(usedBy.get(reference) ?? []), name])
  }
  const order = [...left].filter(([, references]) => references.size === 0).map(([name]) => name)
  // grows while it is walked
  for (const name of order) {
    for (const user of usedBy.get(name) ?? []) {
      const references = left.get(user)
      if (references?.delete(name) && references.size === 0) order.push(user)
    }
  }
  return order
}

function* referencesIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return
  const rule = ruleOf(node)
  if (rule?.[0] === REFERENCE) yield String(rule[1])
  else for (const inner of Object.values(node)) yield* referencesIn(inner)
}

/**
 * Measures rules with what they refer to, each evaluator once. `order` is that of `inOrder`; what cannot be put in place counts
 * nothing.
 */
export function measuring(evaluators: Evaluators, order: readonly string[]): (rule: unknown) => Extent {
  const known = new Map<string, Extent>()
  const measuring: Measuring = { ...ALONE, extentOf: (name) => known.get(name) ?? NOTHING }
  for (const name of order) known.set(name, measure(evaluators.get(name), measuring))
  return (rule) => measure(rule, measuring)
}

const ALONE: Measuring = { longest: LIST_OF_A_REQUEST, extentOf: () => NOTHING, ofItem: undefined }

/** Of a rule that refers to nothing: a list that it holds or makes may be longer than any of a request. */
export function extentOf(rule: unknown): Extent {
  const extent = measure(rule, ALONE)
  const { longest } = extent
  return longest > LIST_OF_A_REQUEST ? measure(rule, { ...ALONE, longest }) : extent
}

/** The rule with what it refers to in place, in any order and depth. Only what has been measured is expanded. */
export function expand(node: unknown, evaluators: Evaluators): unknown {
  if (Array.isArray(node)) return node.map((item) => expand(item, evaluators))
  if (typeof node !== 'object' || node === null) return node
  const rule = ruleOf(node)
  if (rule?.[0] === REFERENCE) return expand(evaluators.get(String(rule[1])), evaluators)
  return Object.fromEntries(Object.entries(node).map(([name, operands]) => [name, expand(operands, evaluators)]))
}
