/** From a checked flag file to the definition that decisions are made by: bounds first, then everything put in place. */
import type { Rollout } from '../../core/policy.ts'
import { isRecord } from '../outside.ts'
import type { PolicyPath } from '../problem.ts'
import {
  type Extent,
  MOST_CHARACTERS,
  MOST_EXPANDED,
  MOST_JOINED,
  MOST_LEVELS,
  MOST_OPERATORS,
  MOST_STEPS,
} from './bounds.ts'
import { type Evaluators, expand, extentOf, inOrder, measuring } from './evaluators.ts'
import { hashesList } from './hashed.ts'
import { ruleOf } from './operators.ts'
import { withRollout } from './rollouts.ts'
import { withOurClock } from './variable.ts'
import { inWords, type Report } from './words.ts'

export type Rollouts = ReadonlyMap<string, Rollout>

/** The shared rules of a file that has been checked. */
export function evaluatorsOf({ $evaluators }: Readonly<Record<string, unknown>>): Evaluators {
  return new Map(Object.entries(isRecord($evaluators) ? $evaluators : {}))
}

export interface Compiled {
  /** In flagd's format, without references. */
  readonly definition: string
  /** Of each flag that has a rule, with its rollout. */
  readonly extents: ReadonlyMap<string, Extent>
}

/** Undefined where something was reported. */
export function compileDefinition(
  file: Readonly<Record<string, unknown>>,
  characters: number,
  rollouts: Rollouts,
  report: Report,
): Compiled | undefined {
  const evaluators = evaluatorsOf(file)
  const flags = Object.entries(isRecord(file.flags) ? file.flags : {}).map(
    ([name, flag]) => [name, recordOf(flag)] as const,
  )
  let isGood = true
  const refuse: Report = (fault) => {
    isGood = false
    report(fault)
  }
  const order = inOrder(evaluators)
  const placed = new Set(order)
  for (const name of evaluators.keys()) {
    if (placed.has(name)) continue
    refuse({ path: ['$evaluators', name], message: 'refers to itself, or to a rule that does', fix: 'it out in full' })
  }
  if (!isGood) return undefined
  const measured = measuring(evaluators, order)
  let expanded = characters
  for (const [name, { targeting }] of flags) {
    if (targeting === undefined) continue
    const { levels, size } = measured(targeting)
    expanded += size
    if (levels > MOST_LEVELS) refuse({ path: ['flags', name, 'targeting'], message: TOO_DEEP })
  }
  for (const name of order)
    if (measured(evaluators.get(name)).levels > MOST_LEVELS) refuse({ path: ['$evaluators', name], message: TOO_DEEP })
  if (expanded > MOST_EXPANDED)
    refuse({ path: ['$evaluators'], message: 'makes more than 4 MB of rules where it is referred to' })
  if (!isGood) return undefined
  const compiled = flags.map(([name, flag]) => [name, compiledFlag(flag, evaluators, rollouts.get(name))] as const)
  const extents = new Map<string, Extent>()
  for (const [name, { targeting }] of compiled) {
    if (targeting === undefined) continue
    const path = ['flags', name, 'targeting']
    const extent = extentOf(targeting)
    extents.set(name, extent)
    const isTwice = rollouts.has(name) && ruleOf(recordOf(recordOf(file.flags)[name]).targeting) !== undefined
    checkExtent(extent, path, isTwice, refuse)
    if (hashesList(targeting)) refuse({ path, message: HASHES_LIST, fix: 'a text there, such as the user,' })
  }
  if (!isGood) return undefined
  const { metadata } = file
  const definition = JSON.stringify({
    ...(metadata !== undefined && { metadata }),
    flags: Object.fromEntries(compiled),
  })
  return { definition, extents }
}

const TOO_DEEP = `is nested too deeply: ${MOST_LEVELS} operators in each other at most, with those of \`$evaluators\``

const HASHES_LIST =
  'has a `fractional` that may hash a list, such as the roles, which flagd takes for a bucket of its own'

/** `isTwice` where the rule stands in its rollout. */
function checkExtent({ operators, size, steps, joined }: Extent, path: PolicyPath, isTwice: boolean, report: Report) {
  const twice = isTwice ? ', and twice, as its rollout asks it twice' : ''
  if (operators > MOST_OPERATORS) {
    const message = `has ${inWords(operators)} operators, with those of \`$evaluators\`${twice}; ${inWords(MOST_OPERATORS)} at most`
    report({ path, message, fix: '`in` and a list for many comparisons, or more than one flag' })
  } else if (size > MOST_CHARACTERS) {
    const message = `is larger than 256 kB, with what it refers to${twice}`
    report({ path, message, fix: 'an attribute of the tenants, or a role of the users,' })
  }
  if (joined > MOST_JOINED) {
    const message = `has a \`cat\` that may give ${inWords(joined)} characters; ${inWords(MOST_JOINED)} at most`
    report({ path, message, fix: 'fewer texts in it, and no list,' })
  }
  if (steps <= MOST_STEPS) return
  const message = `may take ${inWords(steps)} steps for one request${twice}; ${inWords(MOST_STEPS)} at most`
  report({ path, message, fix: 'shorter lists, fewer of them in each other, and fewer `sem_ver`,' })
}

function recordOf(flag: unknown): Readonly<Record<string, unknown>> {
  return isRecord(flag) ? flag : {}
}

function compiledFlag(
  flag: Readonly<Record<string, unknown>>,
  evaluators: Evaluators,
  rollout: Rollout | undefined,
): Readonly<Record<string, unknown>> {
  const { targeting, ...rest } = flag
  const own = targeting === undefined ? undefined : withOurClock(expand(targeting, evaluators))
  const whole = rollout ? withRollout(own, String(flag.defaultVariant), rollout) : own
  return whole === undefined ? rest : { ...rest, targeting: whole }
}
