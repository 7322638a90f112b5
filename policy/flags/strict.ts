/** flagd's own word on a definition: its schema, held strictly, and whether its evaluator can compile every rule. */
import type { Logger } from '@openfeature/core'
import { MemoryStorage } from '@openfeature/flagd-core'
import { isRecord, parseJson } from '../outside.ts'
import type { Fault } from '../problem.ts'
import { ruleOf } from './operators.ts'

/** Rules as the file has them, in which a fault is looked for. */
interface OwnRules {
  of(flag: string): unknown
  /** With what it refers to in place. */
  expanded(rule: unknown): unknown
}

/**
 * What flagd has against a definition in which our own checks have found nothing; undefined where that is nothing too.
 */
export function flagdsFault(definition: string, own: OwnRules): Fault | undefined {
  const warnings: string[] = []
  const warn = (message: unknown) => void warnings.push(String(message))
  const logger: Logger = { error: warn, warn, info() {}, debug() {} }
  try {
    new MemoryStorage(logger).setConfigurations(definition, true)
  } catch (error) {
    return { path: deepest(String(error)), message: "is not what flagd's schema allows here" }
  }
  const [warning] = warnings
  if (warning === undefined) return undefined
  const flag = /flag '(.*)'$/.exec(warning)?.[1]
  const path = flag === undefined ? [] : ['flags', flag, 'targeting', ...narrowed(own.of(flag), own.expanded)]
  return { path, message: 'fails whatever is asked, as a comparison of a text with a number does' }
}

/** Rules that are tried to find the one that does not compile, and characters of them together. */
const MOST_TRIED = 200
const MOST_CHARACTERS = 256 * 1024

/** The way to the innermost rule that does not compile by itself: flagd works out ahead what it can, and says only that it failed. */
function narrowed(rule: unknown, expanded: OwnRules['expanded']): readonly (string | number)[] {
  let tried = 0
  let characters = 0
  const isBroken = (node: unknown) => {
    if (tried >= MOST_TRIED || characters > MOST_CHARACTERS) return false
    const whole = expanded(node)
    tried += 1
    characters += JSON.stringify(whole).length
    return characters <= MOST_CHARACTERS && holdsBroken(whole)
  }
  const within = (node: unknown): readonly (string | number)[] => {
    const [operator] = ruleOf(node) ?? []
    const list: unknown = operator === undefined ? node : (ruleOf(node)?.[1] ?? null)
    const steps = operator === undefined ? [] : [operator]
    if (!Array.isArray(list)) return steps
    const index = list.findIndex((item) => typeof item === 'object' && item !== null && isBroken(item))
    return index < 0 ? steps : [...steps, index, ...within(list[index])]
  }
  return within(rule)
}

function holdsBroken(node: unknown): boolean {
  const warnings: unknown[] = []
  const logger: Logger = { error() {}, warn: (message) => void warnings.push(message), info() {}, debug() {} }
  const flag = { state: 'ENABLED', variants: { on: true }, targeting: { and: [node] } }
  new MemoryStorage(logger).setConfigurations(JSON.stringify({ flags: { flag } }))
  return warnings.length > 0
}

/** Of the many branches that the schema tried, the one that came furthest is what was meant. */
function deepest(message: string): readonly (string | number)[] {
  const errors = parseJson(message.slice(message.indexOf('[')))
  const paths = (Array.isArray(errors) ? errors : []).map((error) =>
    isRecord(error) ? pathOf(String(error.instancePath)) : [],
  )
  return paths.reduce((best, path) => (path.length > best.length ? path : best), [])
}

/** RFC 6901. */
function pathOf(pointer: string): readonly (string | number)[] {
  const steps = pointer.split('/').slice(1)
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')))
}
