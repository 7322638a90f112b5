/** What targeting rules may read, and from whom they get the time. */
import { TIMESTAMP } from '../../core/flags/context.ts'

/** What flagd itself says of an evaluation. */
const FLAGD = '$flagd'
const CLOCK = `${FLAGD}.timestamp`
const OF_FLAGD: readonly string[] = [CLOCK, `${FLAGD}.flagKey`]

/** What is wrong with the name of a variable, worded to follow it; undefined where nothing is. */
export function variableFault(name: string): { readonly message: string; readonly fix?: string } | undefined {
  const steps = name.split('.')
  if (steps.includes(FLAGD) && !OF_FLAGD.includes(name)) {
    return { message: 'is nothing that flagd tells', fix: OF_FLAGD.map((one) => `\`${one}\``).join(' or ') }
  }
  if (name.includes('../')) {
    return { message: 'climbs out of the item that an operator is at, which other evaluators of flagd cannot' }
  }
  // an attribute may be called so; what is below that name is the language's own
  if (steps.length > 1 && steps.some((step) => step in Object.prototype))
    return { message: 'is a name that every object has', fix: 'another' }
  return undefined
}

/** A rule in which the time is ours: the library would ask its own clock. */
export function withOurClock(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withOurClock)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([name, operands]) => [name, name === 'var' ? renamed(operands) : withOurClock(operands)]),
  )
}

/** Alone, or as the first of a list, with a default behind it. */
function renamed(operands: unknown): unknown {
  if (operands === CLOCK) return TIMESTAMP
  return Array.isArray(operands) && operands[0] === CLOCK ? [TIMESTAMP, ...operands.slice(1)] : operands
}
