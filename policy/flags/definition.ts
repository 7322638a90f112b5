/** Whether a flag file is one: flags, their variants, metadata and shared rules, by flagd's schema and what we ask beyond it. */
import { slipOf } from '../nearest.ts'
import { isRecord } from '../outside.ts'
import type { PolicyPath } from '../problem.ts'
import { MOST_FLAGS } from './bounds.ts'
import { checkTargeting, type Looking } from './targeting.ts'
import { isOfPrototype, kindOf, type Report, unknown } from './words.ts'

const EVALUATORS = '$evaluators'

/** `note` takes what is accepted, and perhaps not what was meant. */
export function checkDefinition(file: unknown, report: Report, note: Report): void {
  if (!isRecord(file)) {
    report({ path: [], message: `is ${kindOf(file)} and no flag file`, fix: '`{ "flags": { … } }`' })
    return
  }
  noteSlips(file, [], ['flags', EVALUATORS, 'metadata'], note)
  if (file.metadata !== undefined) checkMetadata(file.metadata, ['metadata'], report)
  const evaluators = checkEvaluators(file[EVALUATORS], report)
  if (!isRecord(file.flags)) {
    const message = file.flags === undefined ? 'has no `flags`' : `is ${kindOf(file.flags)}`
    report({ path: file.flags === undefined ? [] : ['flags'], message, fix: '`"flags": { … }`, by their names' })
    return
  }
  const flags = Object.entries(file.flags)
  if (evaluators.length > MOST_FLAGS) return
  if (flags.length > MOST_FLAGS) report({ path: ['flags'], message: `has more than ${MOST_FLAGS} flags` })
  else for (const [name, flag] of flags) checkFlag(name, flag, { report, evaluators }, note)
}

/** The names of those that are there. */
function checkEvaluators(evaluators: unknown, report: Report): readonly string[] {
  if (evaluators === undefined) return []
  if (!isRecord(evaluators)) {
    report({ path: [EVALUATORS], message: `is ${kindOf(evaluators)}`, fix: 'a map of rules, by their names' })
    return []
  }
  const names = Object.keys(evaluators)
  if (names.length > MOST_FLAGS) {
    report({ path: [EVALUATORS], message: `has more than ${MOST_FLAGS} rules` })
    return names
  }
  for (const [name, rule] of Object.entries(evaluators)) {
    checkName(name, [EVALUATORS, name], report)
    checkTargeting(rule, [EVALUATORS, name], { report, evaluators: names })
  }
  return names
}

function checkName(name: string, path: PolicyPath, report: Report): void {
  if (isOfPrototype(name)) report({ path, at: 'key', message: 'is a name that every object has', fix: 'another name' })
  if (name.trim() === '') report({ path, at: 'key', message: 'is no name', fix: 'a name' })
}

function checkFlag(name: string, flag: unknown, looking: Looking, note: Report): void {
  const path = ['flags', name]
  const { report } = looking
  checkName(name, path, report)
  if (!isRecord(flag)) {
    report({ path, message: `is ${kindOf(flag)} and no flag`, fix: '`{ "state": "ENABLED", "variants": { … } }`' })
    return
  }
  noteSlips(flag, path, ['state', 'variants', 'defaultVariant', 'targeting', 'metadata'], note)
  const { state, variants, defaultVariant, targeting, metadata } = flag
  if (state === undefined) report({ path, at: 'key', message: 'has no `state`', fix: '`"state": "ENABLED"`' })
  else if (state !== 'ENABLED' && state !== 'DISABLED') {
    report({ path: [...path, 'state'], message: 'is no state of a flag', fix: '`"ENABLED"` or `"DISABLED"`' })
  }
  const names = checkVariants(variants, path, report)
  if (defaultVariant !== undefined && defaultVariant !== null) {
    const at = [...path, 'defaultVariant']
    if (typeof defaultVariant !== 'string')
      report({ path: at, message: `is ${kindOf(defaultVariant)}`, fix: 'the name of a variant' })
    else if (names && !names.includes(defaultVariant)) report(unknown(at, 'variant', defaultVariant, names))
  }
  if (targeting !== undefined) {
    checkTargeting(targeting, [...path, 'targeting'], looking)
    if (names) noteResults(targeting, [...path, 'targeting'], names, note)
  }
  if (metadata !== undefined) checkMetadata(metadata, [...path, 'metadata'], report)
}

/** Their names, or undefined where there are none to speak of. */
function checkVariants(variants: unknown, flag: PolicyPath, report: Report): readonly string[] | undefined {
  const path = [...flag, 'variants']
  const fix = 'variants and their values'
  if (variants === undefined)
    report({ path: flag, at: 'key', message: 'has no `variants`', fix: '`"variants": { … }`' })
  else if (!isRecord(variants)) report({ path, message: `is ${kindOf(variants)}`, fix })
  else if (Object.keys(variants).length === 0) report({ path, message: 'is empty', fix })
  if (!isRecord(variants)) return undefined
  const [first] = Object.entries(variants)
  for (const [name, value] of Object.entries(variants)) {
    const at = [...path, name]
    checkName(name, at, report)
    const kind = kindOf(value)
    if (kind === 'null' || kind === 'a list') report({ path: at, message: `is ${kind}, which no variant can be` })
    else if (first && kind !== kindOf(first[1])) {
      report({
        path: at,
        message: `is ${kind}, and variant \`${first[0]}\` is ${kindOf(first[1])}: all of a flag are alike`,
      })
    }
  }
  return Object.keys(variants)
}

/** By `targetingKey` a flag says whom it is sticky for. */
function checkMetadata(metadata: unknown, path: PolicyPath, report: Report): void {
  if (!isRecord(metadata)) {
    report({ path, message: `is ${kindOf(metadata)}`, fix: 'a map of plain values' })
    return
  }
  for (const [name, value] of Object.entries(metadata)) {
    const at = [...path, name]
    if (typeof value === 'object')
      report({ path: at, message: `is ${kindOf(value)}`, fix: 'a text, a number or a boolean' })
    else if (name === 'targetingKey' && value !== 'tenant' && value !== 'user') {
      report({ path: at, message: 'is nobody whom a flag can be sticky for', fix: '`"tenant"` or `"user"`' })
    }
  }
}

/** flagd lets any other key stand, and reads none. */
function noteSlips(
  record: Readonly<Record<string, unknown>>,
  path: PolicyPath,
  known: readonly string[],
  note: Report,
): void {
  for (const key of Object.keys(record).slice(0, 20)) {
    const guess = known.includes(key) ? undefined : slipOf(key, known)
    if (guess !== undefined) {
      note({ path: [...path, key], at: 'key', message: `is not read by anybody; did you mean \`${guess}\`?` })
    }
  }
}

/** A variant that a rule names and the flag does not have: the request then gets the route's default. */
function noteResults(rule: unknown, path: PolicyPath, variants: readonly string[], note: Report): void {
  if (typeof rule === 'string' && !variants.includes(rule)) {
    note({ ...unknown(path, 'variant', rule, variants), path })
    return
  }
  if (!isRecord(rule)) return
  const { if: choice, fractional } = rule
  if (Array.isArray(choice) && choice.length > 1) {
    for (const [index, operand] of choice.entries()) {
      // of `if`, every second operand is a result, and the last one where it has no condition
      const isResult = index % 2 === 1 || (index === choice.length - 1 && index > 0)
      if (isResult) noteResults(operand, [...path, 'if', index], variants, note)
    }
  }
  if (Array.isArray(fractional)) {
    for (const [index, bucket] of fractional.entries()) {
      if (Array.isArray(bucket)) noteResults(bucket[0], [...path, 'fractional', index, 0], variants, note)
    }
  }
}
