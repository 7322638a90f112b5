/** Routes of one path pattern, told apart by host and method: finding one costs the same however many there are. */
import type { Route } from '../policy.ts'

/**
 * What is not there is left out: a policy has many of these, and each empty map is one more place in memory to look at.
 */
export interface Rivals {
  hosts?: Hosts
  everyHost?: ByMethod
}

interface Hosts {
  readonly exact: Map<string, ByMethod>
  /** By what stands behind the `*`, with its dot. */
  readonly bySuffix: Map<string, ByMethod>
  /** Letters of the longest suffix; what a host has before them is not looked at. */
  longestSuffix: number
}

interface ByMethod {
  named?: Map<string, Route>
  everyMethod?: Route
}

export function addRival(rivals: Rivals, route: Route): void {
  const { hosts } = route.match
  if (hosts.length === 0) {
    rivals.everyHost ??= {}
    addMethods(rivals.everyHost, route)
    return
  }
  rivals.hosts ??= { exact: new Map(), bySuffix: new Map(), longestSuffix: 0 }
  for (const pattern of hosts) addMethods(entryOf(rivals.hosts, pattern), route)
}

function entryOf(hosts: Hosts, pattern: string): ByMethod {
  const isWildcard = pattern.startsWith('*.')
  const name = isWildcard ? pattern.slice(1) : pattern
  const entries = isWildcard ? hosts.bySuffix : hosts.exact
  if (isWildcard) hosts.longestSuffix = Math.max(hosts.longestSuffix, name.length)
  const entry = entries.get(name) ?? {}
  entries.set(name, entry)
  return entry
}

function addMethods(entry: ByMethod, route: Route): void {
  const { methods } = route.match
  if (methods.length === 0) entry.everyMethod ??= route
  else entry.named ??= new Map()
  for (const method of methods) if (!entry.named?.has(method)) entry.named?.set(method, route)
}

/**
 * The route that names host and method most exactly: the exact host beats the longest wildcard beats every host, then
 * the named method beats GET standing for HEAD beats every method. `host` is folded.
 */
export function strongestRival({ hosts, everyHost }: Rivals, host: string, method: string): Route | undefined {
  const named = hosts && ofHost(hosts, host, method)
  return named ?? (everyHost && ofMethod(everyHost, method))
}

/** A wildcard stands for one label at least, so that no suffix begins with the host. */
function ofHost({ exact, bySuffix, longestSuffix }: Hosts, host: string, method: string): Route | undefined {
  const entry = exact.get(host)
  const found = entry && ofMethod(entry, method)
  if (found) return found
  const first = Math.max(1, host.length - longestSuffix)
  for (let dot = host.indexOf('.', first); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const below = bySuffix.get(host.slice(dot))
    const route = below && ofMethod(below, method)
    if (route) return route
  }
  return undefined
}

/** RFC 9110 §9.3.2: who may GET may ask with HEAD. */
function ofMethod({ named, everyMethod }: ByMethod, method: string): Route | undefined {
  if (!named) return everyMethod
  return named.get(method) ?? (method === 'HEAD' ? named.get('GET') : undefined) ?? everyMethod
}
