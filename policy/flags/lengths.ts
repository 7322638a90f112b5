/** What rules give: lists or not, and how long it is where it is read as a text. */
import { type Extent, type Lengths, LIST_OF_A_REQUEST, ROLE_OF_A_REQUEST, TEXT_OF_A_REQUEST } from './bounds.ts'
import { ruleOf } from './operators.ts'

/** Operators that give lists, whatever they are given. */
export const LISTS: ReadonlySet<string> = new Set(['merge', 'map', 'filter', 'missing', 'missing_some'])
/** Those that give one of their operands. */
const ONE_OF: ReadonlySet<string> = new Set(['if', 'and', 'or', 'reduce'])

/** Whether an operand is a list. `inBody` is in what is done with each item of a list, which may be one itself. */
export function isList(operand: unknown, inBody: boolean): 'always' | 'perhaps' | 'never' {
  if (Array.isArray(operand)) return 'always'
  const [name, operands] = ruleOf(operand) ?? []
  if (name === undefined) return 'never'
  if (name !== 'var') return LISTS.has(name) ? 'always' : ONE_OF.has(name) ? 'perhaps' : 'never'
  if (inBody) return 'perhaps'
  return variableOf(operands) === 'roles' ? 'always' : 'never'
}

function variableOf(operands: unknown): unknown {
  return Array.isArray(operands) ? operands[0] : operands
}

/** Of a number, `true`, `null`. */
const PLAIN: Lengths = { text: 32, item: 32 }

interface Given {
  readonly extents: readonly Extent[]
  /** Of a list that is not written there. */
  readonly longest: number
  /** What variables are in a body; undefined outside of one. */
  readonly ofItem: Lengths | undefined
}

type LengthsOf = (operands: readonly unknown[], given: Given) => Lengths

/** Of what an operator gives. */
export function lengthsOf(name: string, operands: readonly unknown[], given: Given): Lengths {
  return TABLE[name]?.(operands, given) ?? PLAIN
}

const ofFirst: LengthsOf = (_, { extents }) => extents[0] ?? PLAIN
const ofOneOperand: LengthsOf = (_, { extents }) => longestOf(extents)
const ofAllOperands: LengthsOf = (_, { extents }) => ({ text: textOf(extents), item: longestOf(extents).item })

const TABLE: Readonly<Record<string, LengthsOf>> = {
  var(operands, { extents, ofItem }) {
    const ofName = ofItem ?? (variableOf(operands) === 'roles' ? ROLES : OF_A_REQUEST)
    // behind the name stands what it is where there is none
    return longestOf([ofName, ...extents.slice(1)])
  },
  cat(_, { extents }) {
    const text = extents.reduce((all, one) => all + one.text, 0)
    return { text, item: text }
  },
  substr: ofFirst,
  filter: ofFirst,
  if: ofOneOperand,
  and: ofOneOperand,
  or: ofOneOperand,
  reduce: ofOneOperand,
  fractional: ofOneOperand,
  merge: ofAllOperands,
  missing: ofAllOperands,
  missing_some: ofAllOperands,
  map([list], { extents: [, body = PLAIN], longest }) {
    const items = Array.isArray(list) ? list.length : longest
    return { text: items * (body.text + 1), item: body.text }
  },
}

const OF_A_REQUEST: Lengths = { text: TEXT_OF_A_REQUEST, item: TEXT_OF_A_REQUEST }
const ROLES: Lengths = { text: LIST_OF_A_REQUEST * (ROLE_OF_A_REQUEST + 1), item: ROLE_OF_A_REQUEST }

function longestOf(all: readonly Lengths[]): Lengths {
  return all.reduce(
    (longest, { text, item }) => ({
      text: Math.max(longest.text, text),
      item: Math.max(longest.item, item),
    }),
    PLAIN,
  )
}

function textOf(extents: readonly Lengths[]): number {
  return extents.reduce((all, { text }) => all + text + 1, 0)
}
