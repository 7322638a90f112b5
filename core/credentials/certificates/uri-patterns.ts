/** URIs against patterns: exact, `*` for one whole segment of the path, or `/**` at the end for one segment or more. */

export interface UriMatch<T> {
  readonly value: T
  readonly exactness: 'exact' | 'template' | 'prefix'
}

interface Segment<T> {
  readonly literals: Map<string, Segment<T>>
  /** The child for `*`. */
  any?: Segment<T>
  /** Of a pattern that ends here. */
  ending?: T
  /** Of a pattern that goes on with `/**` here. */
  prefix?: T
}

/** What stands for `*`: characters that no reader takes for another segment, a query or an escape (SPIFFE-ID §2.2, RFC 3986 §3.3). */
const PLAIN_SEGMENT = /^(?!\.{1,2}$)[\w.~!$&'()*+,;=:@-]+$/
/** `scheme:`, nothing, and the authority are no segments of the path. */
const PATH_BEGINS = 3
/** SPIFFE-ID §2.3. Longer ones are asked for exactly, and by no pattern. */
const LONGEST = 2048

/**
 * Finds the value of the pattern that says most: an exact one, then one with the first literal where the other has `*`, then the
 * longest prefix. The cost is that of the URI's segments, however many patterns there are. Patterns are distinct.
 */
export function compileUriPatterns<T>(
  patterns: Iterable<readonly [string, T]>,
): (uri: string) => UriMatch<T> | undefined {
  const exact = new Map<string, T>()
  const root: Segment<T> = { literals: new Map() }
  for (const [pattern, value] of patterns) {
    if (!plant(root, pattern.split('/'), value)) exact.set(pattern, value)
  }
  return (uri) => {
    const whole = exact.get(uri)
    if (whole !== undefined) return { value: whole, exactness: 'exact' }
    if (uri.length > LONGEST) return undefined
    const segments = uri.split('/')
    const template = findWhole(root, segments, 0)
    if (template !== undefined) return { value: template, exactness: 'template' }
    const prefix = findPrefix(root, segments, 0)
    return prefix && { value: prefix.value, exactness: 'prefix' }
  }
}

/** False for a pattern without `*`, which is left out. */
function plant<T>(root: Segment<T>, segments: readonly string[], value: T): boolean {
  const isPrefix = segments.length > PATH_BEGINS && segments.at(-1) === '**'
  const steps = isPrefix ? segments.slice(0, -1) : segments
  if (!isPrefix && !steps.includes('*', PATH_BEGINS)) return false
  let at = root
  for (const [depth, step] of steps.entries()) {
    if (depth >= PATH_BEGINS && step === '*') at = at.any ??= { literals: new Map() }
    else {
      const next = at.literals.get(step) ?? { literals: new Map() }
      at.literals.set(step, next)
      at = next
    }
  }
  at[isPrefix ? 'prefix' : 'ending'] = value
  return true
}

function findWhole<T>(at: Segment<T>, segments: readonly string[], depth: number): T | undefined {
  const segment = segments[depth]
  if (segment === undefined) return at.ending
  const literal = at.literals.get(segment)
  const found = literal && findWhole(literal, segments, depth + 1)
  if (found !== undefined) return found
  return at.any && PLAIN_SEGMENT.test(segment) ? findWhole(at.any, segments, depth + 1) : undefined
}

interface Prefix<T> {
  readonly value: T
  readonly depth: number
}

function findPrefix<T>(at: Segment<T>, segments: readonly string[], depth: number): Prefix<T> | undefined {
  const segment = segments[depth]
  if (segment === undefined) return undefined
  const literal = at.literals.get(segment)
  const byLiteral = literal && findPrefix(literal, segments, depth + 1)
  const byAny = at.any && PLAIN_SEGMENT.test(segment) ? findPrefix(at.any, segments, depth + 1) : undefined
  if (byLiteral && (!byAny || byLiteral.depth >= byAny.depth)) return byLiteral
  if (byAny) return byAny
  const isBelow = at.prefix !== undefined && segments.slice(depth).every((rest) => PLAIN_SEGMENT.test(rest))
  return isBelow && at.prefix !== undefined ? { value: at.prefix, depth } : undefined
}
