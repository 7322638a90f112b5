/** Headers of a request that somebody only asks about, as a gateway would hand them over. */

/** By their names in lower case; what comes twice, in whatever case, is one text, joined by a comma (RFC 9110 §5.3). */
export function joinedHeaders(
  lines: Iterable<readonly [name: string, value: string]>,
): Readonly<Record<string, string>> {
  const joined: Record<string, string> = Object.create(null)
  for (const [name, value] of lines) {
    const key = name.toLowerCase()
    joined[key] = joined[key] === undefined ? value : `${joined[key]},${value}`
  }
  return joined
}
