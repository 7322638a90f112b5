/** Host names as hosts are compared: case, port and one trailing dot do not matter. */

/**
 * RFC 3986 §3.2.2, without user and without escapes: labels, or an IPv6 literal; then a dot, then a port. Both may be
 * missing.
 */
const HOST = /^((?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])?)\.?(?::\d{0,5})?$/i

/** RFC 1035 §2.3.4, less the two octets that no text writes. */
const MOST = 253
/** With a dot and a port. */
const MOST_SENT = MOST + '.:65535'.length

/**
 * `Acme.API.localhost.:8080` → `acme.api.localhost`; an IPv6 literal keeps its brackets; no host stays empty. Undefined
 * for what is no host (`user@acme.test`, two hosts joined by a comma): a backend could read another name in it than we
 * do. Nor is what is longer than any name can be, which would only fill memory.
 */
export function foldHost(host: string): string | undefined {
  if (host.length > MOST_SENT) return undefined
  const name = HOST.exec(host)?.[1]
  return name === undefined || name.length > MOST ? undefined : name.toLowerCase()
}
