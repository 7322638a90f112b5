/** Whether a flag file is one: flags, their variants, metadata and shared rules, by flagd's schema and what we ask beyond it. */

import { FLAG_NAME, FLAG_NAME_WORDS, VARIANT_NAME, VARIANT_NAME_WORDS } from '../../core/names.ts'
import { slipOf } from '../nearest.ts'
import { isRecord } from '../outside.ts'
import type { PolicyPath } from '../problem.ts'
import { MOST_FLAGS, MOST_VARIANTS } from './bounds.ts'
import { noteResults } from './results.ts'
import { checkTargeting, type Looking } from './targeting.ts'
import { isOfPrototype, kindOf, type Report, unknown } from './words.ts'

const EVALUATORS = '$evaluators'

export interface Checking {
  readonly report: Report
  /** Takes what is accepted, and perhaps not what was meant. */
  readonly note: Report
  /** Of requests, in lower case: those that rules may read. */
  readonly headers: readonly string[]
}

export function checkDefinition(file: unknown, checking: Checking): void {
  const { report, note } = checking
  if (!isRecord(file)) {
    report({ path: [], message: `is ${kindOf(file)} and no flag file`, fix: '`{ "flags": { … } }`' })
    return
  }
  noteSlips(file, [], ['flags', EVALUATORS, 'metadata'], note)
  if (file.metadata !== undefined) checkMetadata(file.metadata, ['metadata'], report)
  const evaluators = checkEvaluators(file[EVALUATORS], checking)
  if (!isRecord(file.flags)) {
    const message = file.flags === undefined ? 'has no `flags`' : `is ${kindOf(file.flags)}`
    report({ path: file.flags === undefined ? [] : ['flags'], message, fix: '`"flags": { … }`, by their names' })
    return
  }
  const flags = Object.entries(file.flags)
  if (evaluators.size > MOST_FLAGS) return
  if (flags.length > MOST_FLAGS) report({ path: ['flags'], message: `has more than ${MOST_FLAGS} flags` })
  else for (const [name, flag] of flags) checkFlag(name, flag, { ...checking, evaluators })
}

/** The names of those that are there. */
function checkEvaluators(evaluators: unknown, checking: Checking): ReadonlySet<string> {
  const { report } = checking
  if (evaluators === undefined) return NO_NAMES
  if (!isRecord(evaluators)) {
    report({ path: [EVALUATORS], message: `is ${kindOf(evaluators)}`, fix: 'a map of rules, by their names' })
    return NO_NAMES
  }
  const names = new Set(Object.keys(evaluators))
  if (names.size > MOST_FLAGS) {
    report({ path: [EVALUATORS], message: `has more than ${MOST_FLAGS} rules` })
    return names
  }
  for (const [name, rule] of Object.entries(evaluators)) {
    if (checkName(name, [EVALUATORS, name], report))
      checkTargeting(rule, [EVALUATORS, name], { ...checking, evaluators: names })
  }
  return names
}

const NO_NAMES: ReadonlySet<string> = new Set()

/** Whether it is one that may stand there. Of what has none, nothing else is told. */
function checkName(name: string, path: PolicyPath, report: Report): boolean {
  const fault = (message: string, fix: string) => report({ path, at: 'key', message, fix })
  if (isOfPrototype(name)) fault('is a name that every object has', 'another name')
  else if (name.trim() === '') fault('is no name', 'a name')
  else return true
  return false
}

const OF_FLAG = { pattern: FLAG_NAME, words: FLAG_NAME_WORDS }
const OF_VARIANT = { pattern: VARIANT_NAME, words: VARIANT_NAME_WORDS }

/** The same of a flag or a variant, whose names stand in headers and metrics. */
function checkCarried(name: string, path: PolicyPath, { pattern, words }: typeof OF_FLAG, report: Report): boolean {
  if (!checkName(name, path, report)) return false
  if (pattern.test(name)) return true
  const message = `is a name that a header cannot carry${name.length > 128 ? ` (${name.length} characters)` : ''}`
  report({ path, at: 'key', message, fix: words })
  return false
}

function checkFlag(name: string, flag: unknown, looking: Looking): void {
  const path = ['flags', name]
  const { report, note } = looking
  if (!checkCarried(name, path, OF_FLAG, report)) return
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
    else if (names && !names.has(defaultVariant)) report(() => unknown(at, 'variant', defaultVariant, names))
  }
  if (targeting !== undefined) {
    checkTargeting(targeting, [...path, 'targeting'], looking)
    if (names) noteResults(targeting, [...path, 'targeting'], names, note)
  }
  if (metadata !== undefined) checkMetadata(metadata, [...path, 'metadata'], report)
}

/** Their names, or undefined where there are none to speak of. */
function checkVariants(variants: unknown, flag: PolicyPath, report: Report): ReadonlySet<string> | undefined {
  const path = [...flag, 'variants']
  const fix = 'variants and their values'
  if (variants === undefined)
    report({ path: flag, at: 'key', message: 'has no `variants`', fix: '`"variants": { … }`' })
  else if (!isRecord(variants)) report({ path, message: `is ${kindOf(variants)}`, fix })
  else if (Object.keys(variants).length === 0) report({ path, message: 'is empty', fix })
  if (!isRecord(variants)) return undefined
  const entries = Object.entries(variants)
  if (entries.length > MOST_VARIANTS) {
    report({ path, message: `has more than ${MOST_VARIANTS} variants` })
    return undefined
  }
  const [first] = entries
  for (const [name, value] of entries) {
    const at = [...path, name]
    if (!checkCarried(name, at, OF_VARIANT, report)) continue
    const kind = kindOf(value)
    if (kind === 'null' || kind === 'a list') report({ path: at, message: `is ${kind}, which no variant can be` })
    else if (first && kind !== kindOf(first[1])) {
      report({
        path: at,
        message: `is ${kind}, and variant \`${first[0]}\` is ${kindOf(first[1])}: all of a flag are alike`,
      })
    }
  }
  return new Set(Object.keys(variants))
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
