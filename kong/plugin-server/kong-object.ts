/** The `kong` that a plugin gets: groups of functions, each a round trip. One for each event, so that none outlives its own. */
import type { Kong } from '../pdk.ts'
import type { Method } from './methods.ts'

/** Makes one call of an event. */
export type CallMethod = (method: Method, args: readonly unknown[]) => Promise<unknown>

/** A group, such as `kong.service.request`: its own functions and the groups below it. */
interface Group {
  readonly methods: Map<string, Method>
  readonly groups: Map<string, Group>
}

const CALL = Symbol('call')

type Bound = { [CALL]: CallMethod }

/**
 * Prepares the shape once; what it returns makes a `kong` for an event. Groups and functions come to be when they are asked
 * for, and need no `this`, so that plugins may take them apart. It has no `then`, and can be awaited.
 */
export function prepareKong(methods: Iterable<Method>): (call: CallMethod) => Kong {
  const root: Group = { methods: new Map(), groups: new Map() }
  for (const method of methods) add(root, method, method.path)
  const prototype = prototypeOf(root)
  return (call) => bind(prototype, call) as unknown as Kong
}

function add(group: Group, method: Method, [word = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) {
    group.methods.set(word, method)
    return
  }
  const below = group.groups.get(word) ?? { methods: new Map(), groups: new Map() }
  group.groups.set(word, below)
  add(below, method, rest)
}

function prototypeOf(group: Group): object {
  const prototype: object = Object.create(null)
  for (const [name, method] of group.methods) {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: Bound) {
        const call = this[CALL]
        return (...args: unknown[]) => call(method, args)
      },
    })
  }
  for (const [name, below] of group.groups) {
    const belowPrototype = prototypeOf(below)
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: Bound) {
        return bind(belowPrototype, this[CALL])
      },
    })
  }
  return prototype
}

function bind(prototype: object, call: CallMethod): Bound {
  const bound = Object.create(prototype)
  bound[CALL] = call
  return bound
}
