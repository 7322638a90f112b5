/** Routes of one path pattern, told apart by host and method: finding one costs the same however many there are. */
import type { Route } from '../policy.ts'

interface ByMethod {
  readonly named: Map<string, Route>
  /** For every method. */
  every: Route | undefined
}

export interface Rivals {
  readonly byHost: Map<string, ByMethod>
  /** By what stands behind the `*`, with its dot. */
  readonly bySuffix: Map<string, ByMethod>
  /** Letters of the longest of them; what a host has before them is not looked at. */
  longestSuffix: number
  readonly everyHost: ByMethod
}

export function newRivals(): Rivals {
  return { byHost: new Map(), bySuffix: new Map(), longestSuffix: 0, everyHost: newMethods() }
}

function newMethods(): ByMethod {
  return { named: new Map(), every: undefined }
}

export function addRival(rivals: Rivals, route: Route): void {
  const { hosts } = route.match
  if (hosts.length === 0) addMethods(rivals.everyHost, route)
  for (const pattern of hosts) {
    const suffix = pattern.startsWith('*.') ? pattern.slice(1) : undefined
    if (suffix === undefined) addMethods(entryOf(rivals.byHost, pattern), route)
    else {
      rivals.longestSuffix = Math.max(rivals.longestSuffix, suffix.length)
      addMethods(entryOf(rivals.bySuffix, suffix), route)
    }
  }
}

function entryOf(hosts: Map<string, ByMethod>, name: string): ByMethod {
  const known = hosts.get(name)
  if (known) return known
  const methods = newMethods()
  hosts.set(name, methods)
  return methods
}

function addMethods(entry: ByMethod, route: Route): void {
  const { methods } = route.match
  if (methods.length === 0) entry.every ??= route
  for (const method of methods) if (!entry.named.has(method)) entry.named.set(method, route)
}

/**
 * The route that names host and method most exactly: the exact host beats the longest wildcard beats every host, then the named
 * method beats GET standing for HEAD beats every method. `host` is folded.
 */
export function strongestRival(rivals: Rivals, host: string, method: string): Route | undefined {
  const { byHost, bySuffix, everyHost } = rivals
  const exact = byHost.size > 0 ? byHost.get(host) : undefined
  const found = exact && ofMethod(exact, method)
  if (found) return found
  return (bySuffix.size > 0 ? byWildcard(rivals, host, method) : undefined) ?? ofMethod(everyHost, method)
}

/** A wildcard stands for one label at least, so that no suffix begins with the host. */
function byWildcard({ bySuffix, longestSuffix }: Rivals, host: string, method: string): Route | undefined {
  const first = Math.max(1, host.length - longestSuffix)
  for (let dot = host.indexOf('.', first); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const entry = bySuffix.get(host.slice(dot))
    const found = entry && ofMethod(entry, method)
    if (found) return found
  }
  return undefined
}

/** RFC 9110 §9.3.2: who may GET may ask with HEAD. */
function ofMethod({ named, every }: ByMethod, method: string): Route | undefined {
  if (named.size === 0) return every
  return named.get(method) ?? (method === 'HEAD' ? named.get('GET') : undefined) ?? every
}
