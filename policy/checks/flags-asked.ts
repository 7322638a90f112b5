/** Whether what one decision asks of flags is within the bounds of one flag: that of its route, and all that backends are told of. */
import type { Route } from '../../core/policy.ts'
import { type Extent, MOST_CHARACTERS, MOST_OPERATORS, MOST_STEPS } from '../flags/bounds.ts'
import { inWords } from '../flags/words.ts'
import type { Fault } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { sourcesOf } from './headers.ts'

/**
 * `extents` are those of flags that have a rule, each of which has been looked at with its file; undefined where there is none that can
 * be read, or a provider outside knows its flags alone.
 */
export function checkFlagsAsked(
  file: PolicyFile,
  routes: readonly Route[],
  extents: ReadonlyMap<string, Extent> | undefined,
): readonly Fault[] {
  const told = sourcesOf(file, 'flag:').map(({ name }) => name)
  if (!extents || told.length === 0) return []
  const distinct = new Set(told)
  const summed = (what: 'operators' | 'size' | 'steps') => {
    const costOf = (flag: string) => extents.get(flag)?.[what] ?? 0
    if (what === 'steps') return dearest(told, routes, costOf, costOf)
    // a flag is compiled once, and evaluated wherever it is named
    return dearest(distinct, routes, (flag) => (distinct.has(flag) ? 0 : costOf(flag)), costOf)
  }
  return [
    ...tooMany(summed('operators'), MOST_OPERATORS, 'have {} operators in one decision'),
    ...tooMany(summed('size'), MOST_CHARACTERS, 'have rules of {} characters in one decision'),
    ...tooMany(summed('steps'), MOST_STEPS, 'may take {} steps in one decision'),
  ]
}

interface Asked {
  readonly sum: number
  /** Whose flag is among them. */
  readonly route?: string
}

/** Of the flags that are told, with that of the route which adds most. */
function dearest(
  told: Iterable<string>,
  routes: readonly Route[],
  addedBy: (flag: string) => number,
  costOf: (flag: string) => number,
): Asked {
  let sum = 0
  for (const flag of told) sum += costOf(flag)
  let most: Asked = { sum }
  for (const { name, upstream } of routes) {
    if (upstream?.flag === undefined) continue
    const whole = sum + addedBy(upstream.flag)
    if (whole > most.sum) most = { sum: whole, route: name }
  }
  return most
}

function tooMany({ sum, route }: Asked, most: number, what: string): readonly Fault[] {
  if (sum <= most) return []
  const others = route === undefined ? '' : `, with that of route \`${route}\`,`
  const message = `names flags that${others} ${what.replace('{}', inWords(sum))}; ${inWords(most)} at most`
  return [{ path: ['identity', 'headers'], message, fix: 'fewer flags here, or smaller rules' }]
}
