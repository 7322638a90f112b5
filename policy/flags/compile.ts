/** From a checked flag file to the definition that decisions are made by: bounds first, then everything put in place. */
import type { Rollout } from '../../core/policy.ts'
import { isRecord } from '../outside.ts'
import type { PolicyPath } from '../problem.ts'
import { type Extent, MOST_CHARACTERS, MOST_EXPANDED, MOST_LEVELS, MOST_OPERATORS, MOST_STEPS } from './bounds.ts'
import { type Evaluators, expand, extentOf, inOrder, measuring } from './evaluators.ts'
import { hashesList } from './hashed.ts'
import { withRollout } from './rollouts.ts'
import { withOurClock } from './variable.ts'
import type { Report } from './words.ts'

export type Rollouts = ReadonlyMap<string, Rollout>

/** The shared rules of a file that has been checked. */
export function evaluatorsOf({ $evaluators }: Readonly<Record<string, unknown>>): Evaluators {
  return new Map(Object.entries(isRecord($evaluators) ? $evaluators : {}))
}

/** A definition in flagd's format without references, or undefined where something was reported. */
export function compileDefinition(
  file: Readonly<Record<string, unknown>>,
  characters: number,
  rollouts: Rollouts,
  report: Report,
): string | undefined {
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
  for (const [name, { targeting }] of compiled) {
    if (targeting === undefined) continue
    const path = ['flags', name, 'targeting']
    checkExtent(extentOf(targeting), path, refuse)
    if (hashesList(targeting)) refuse({ path, message: HASHES_LIST, fix: 'a text there, such as the user' })
  }
  if (!isGood) return undefined
  const { metadata } = file
  return JSON.stringify({ ...(metadata !== undefined && { metadata }), flags: Object.fromEntries(compiled) })
}

const TOO_DEEP = `is nested too deeply: ${MOST_LEVELS} operators in each other at most, with those of \`$evaluators\``

const HASHES_LIST =
  'has a `fractional` that may hash a list, such as the roles, which flagd takes for a bucket of its own'

function checkExtent({ operators, size, steps }: Extent, path: PolicyPath, report: Report): void {
  if (operators > MOST_OPERATORS) {
    const message = `has ${inWords(operators)} operators, with those of \`$evaluators\`; ${inWords(MOST_OPERATORS)} at most`
    report({ path, message, fix: '`in` and a list for many comparisons, or more than one flag' })
  } else if (size > MOST_CHARACTERS) {
    report({
      path,
      message: 'is larger than 256 kB, with what it refers to',
      fix: 'an attribute of the tenants for a long list',
    })
  }
  if (steps <= MOST_STEPS) return
  const message = `may take ${inWords(steps)} steps for one request; ${inWords(MOST_STEPS)} at most`
  report({ path, message, fix: 'shorter lists, or fewer of them in each other' })
}

function inWords(count: number): string {
  return Math.round(count).toLocaleString('en')
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
