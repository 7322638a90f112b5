/** How faults of a flag file are worded and gathered. */
import { nearest } from '../nearest.ts'
import type { Fault, PolicyPath } from '../problem.ts'

/**
 * Takes a fault of the flag file; its path begins at the top of that file. One that is dear to word comes as a function, which is
 * called where there is room for it.
 */
export type Report = (fault: Fault | (() => Fault)) => void

/** Keeps the first `most`, so that a file that is wrong throughout costs no more than its reading. */
export function gathering(most: number): { readonly faults: readonly Fault[]; readonly report: Report } {
  const faults: Fault[] = []
  return {
    faults,
    report: (fault) => {
      if (faults.length < most) faults.push(typeof fault === 'function' ? fault() : fault)
    },
  }
}

/** Names that every object has, and which somebody's code somewhere would find instead of what the file says. */
export const isOfPrototype = (name: string): boolean => name in Object.prototype || name === 'prototype'

/** `there is no variant X`, and the nearest that there is, or those that there are where they are few. */
export function unknown(path: PolicyPath, what: string, name: string, names: Iterable<string>): Fault {
  const known = [...names]
  const guess = nearest(name, known)
  const message = `there is no ${what} \`${shortened(name)}\``
  if (guess !== undefined) return { path, message: `${message}; did you mean \`${guess}\`?` }
  if (known.length === 0 || known.length > 5) return { path, message }
  const quoted = known.map((one) => `\`${shortened(one)}\``)
  return { path, message, fix: quoted.length === 1 ? quoted.join() : `one of ${quoted.join(', ')}` }
}

const MOST_CHARACTERS = 128

/** As long as a name may be, in what is told. */
export function shortened(name: string): string {
  return name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS)}…` : name
}

/** A count: `2,500`. */
export function inWords(count: number): string {
  return Math.round(count).toLocaleString('en')
}

/** What a value is, in words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
