/**
 * The file of feature flags: read, checked with the place of every fault, and compiled to what decisions are made by.
 *
 *   flag-text.ts, json-fault.ts      text → values with places (json-places.ts); what is no JSON
 *   definition.ts, targeting.ts      flags, variants, rules (operators.ts, variable.ts, results.ts)
 *   bounds.ts, measure.ts, lengths.ts, evaluators.ts
 *                                    what a request may cost; shared rules
 *   hashed.ts                        what shares are made by
 *   rollouts.ts, compile.ts          percentages by date; the definition
 *   strict.ts                        flagd's own word on it
 */
import type { FlagRules } from '../../core/policy.ts'
import { isRecord, type Outside } from '../outside.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { instantMs } from '../units.ts'
import type { Extent } from './bounds.ts'
import { compileDefinition, evaluatorsOf } from './compile.ts'
import { checkDefinition } from './definition.ts'
import { expand } from './evaluators.ts'
import { type FlagText, readFlagText } from './flag-text.ts'
import { checkRollouts } from './rollouts.ts'
import { flagdsFault } from './strict.ts'
import { gathering, shortened } from './words.ts'

/** What each flag's variants are. */
export type VariantsByFlag = ReadonlyMap<string, Readonly<Record<string, unknown>>>

export interface ResolvedFlags {
  readonly rules: FlagRules | undefined
  /** Undefined where there is no file, or one with faults. */
  readonly variants: VariantsByFlag | undefined
  /** What each flag that has a rule asks of a decision; undefined as `variants`. */
  readonly extents: ReadonlyMap<string, Extent> | undefined
  /** Where something of the file stands, such as `flags.json:7`. */
  readonly placeOf: (path: PolicyPath) => string
  readonly faults: readonly Fault[]
  /** What is accepted, and perhaps not what was meant. */
  readonly notes: readonly Fault[]
}

const NO_FLAGS: ResolvedFlags = {
  rules: undefined,
  variants: undefined,
  extents: undefined,
  placeOf: () => '',
  faults: [],
  notes: [],
}

/** The file that the policy names. */
export function fileOf({ flags }: PolicyFile): string | undefined {
  return typeof flags === 'string' ? flags : flags?.file
}

/** At most `most` faults of the file are told, and as many notes. */
export function resolveFlags(policy: PolicyFile, { read }: Outside, most: number): ResolvedFlags {
  if (policy.flags === undefined) return NO_FLAGS
  const file = fileOf(policy)
  const rules = rulesOf(policy)
  if (file === undefined) return { ...NO_FLAGS, rules }
  const content = read(file)
  if ('failure' in content) {
    const path = typeof policy.flags === 'string' ? ['flags'] : ['flags', 'file']
    return { ...NO_FLAGS, faults: [{ path, message: `the flag file ${content.failure}` }] }
  }
  const found = readFlagText(content.text, most)
  if (!found.ok) {
    return {
      ...NO_FLAGS,
      faults: found.faults.map(({ fault, position }) => ({ ...fault, elsewhere: { file, ...position } })),
    }
  }
  return checked(found.text, { file, characters: content.text.length, rules, most })
}

interface Checking {
  readonly file: string
  readonly characters: number
  readonly rules: FlagRules
  readonly most: number
}

function checked(text: FlagText, { file, characters, rules, most }: Checking): ResolvedFlags {
  const { faults, report } = gathering(most)
  const { faults: notes, report: note } = gathering(most)
  const placed = ({ at = 'value', ...fault }: Fault): Fault => {
    const path = fault.path.map((step) => (typeof step === 'string' ? shortened(step) : step))
    return { ...fault, path, elsewhere: { file, ...text.positionOf(fault.path, at) } }
  }
  const placeOf = (path: PolicyPath) => `${file}:${text.positionOf(path, 'value').line}`
  const refused = (): ResolvedFlags => ({ ...NO_FLAGS, faults: faults.map(placed) })
  checkDefinition(text.value, { report, note, headers: rules.headers })
  const { value } = text
  if (faults.length > 0 || !isRecord(value) || !isRecord(value.flags)) return refused()
  const variants = new Map(Object.entries(value.flags).map(([name, flag]) => [name, variantsOf(flag)]))
  const known = { variants, placeOf, notes: notes.map(placed) }
  const ofRollouts = checkRollouts(rules.rollouts, value.flags, file, most)
  // what the file alone comes to is looked at also where a rollout is at fault
  const rollouts = ofRollouts.length > 0 ? new Map() : rules.rollouts
  const compiled = compileDefinition(value, characters, rollouts, report)
  if (compiled === undefined) return { ...refused(), faults: [...faults.map(placed), ...ofRollouts] }
  if (ofRollouts.length > 0) return { ...NO_FLAGS, ...known, faults: ofRollouts }
  const { flags } = value
  const evaluators = evaluatorsOf(value)
  const { definition, extents } = compiled
  const fault = flagdsFault(definition, {
    of: (name) => targetingOf(flags[name]),
    expanded: (rule) => expand(rule, evaluators),
  })
  if (fault) return { ...NO_FLAGS, faults: [placed(fault)] }
  return { ...known, extents, rules: { ...rules, definition }, faults: [] }
}

function rulesOf({ flags }: PolicyFile): FlagRules {
  const none = { definition: undefined, headers: [], override: undefined, rollouts: new Map() }
  if (typeof flags !== 'object') return none
  const { headers, override, rollouts } = flags
  return {
    ...none,
    headers: headers.map((name) => name.toLowerCase()),
    override: override && {
      header: override.header.toLowerCase(),
      anyRole: override.anyRole,
      credentials: new Set(override.credentials),
    },
    rollouts: new Map(Object.entries(rollouts).map(([flag, rollout]) => [flag, rolloutOf(rollout)])),
  }
}

function rolloutOf({ variant, steps }: { variant: string; steps: readonly { from: string; percent: number }[] }) {
  return { variant, steps: steps.map(({ from, percent }) => ({ from: instantMs(from) ?? 0, percent })) }
}

function variantsOf(flag: unknown): Readonly<Record<string, unknown>> {
  const variants = isRecord(flag) ? flag.variants : undefined
  return isRecord(variants) ? variants : {}
}

function targetingOf(flag: unknown): unknown {
  return isRecord(flag) ? flag.targeting : undefined
}
