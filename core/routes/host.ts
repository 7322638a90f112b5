/** Host names as hosts are compared: case, port and one trailing dot do not matter. */

/** `Acme.API.localhost.:8080` → `acme.api.localhost`; an IPv6 literal keeps its brackets. */
export function foldHost(host: string): string {
  const bracket = host.lastIndexOf(']')
  const colon = host.indexOf(':', bracket + 1)
  const bare = (colon === -1 ? host : host.slice(0, colon)).toLowerCase()
  return bare.endsWith('.') ? bare.slice(0, -1) : bare
}

/** Whether a folded host is `pattern`: an exact name, or `*.suffix` for every name below the suffix. */
export function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.')
    ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
    : host === pattern
}
