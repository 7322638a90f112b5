/** Which limit a descriptor falls under: entry by entry down the tree, the exact value before patterns before the key. */
import type { ConfiguredLimit, DescriptorLevel, Wildcard } from './config.ts'
import type { Entry } from './descriptor.ts'

export interface Match {
  readonly limit: ConfiguredLimit
  /** By index of the entry: what is counted in place of its value. */
  readonly shared: ReadonlyMap<number, string>
}

/** Every value counts for itself. */
export const NOTHING_SHARED: ReadonlyMap<number, string> = new Map()

/** A limit holds for descriptors of just its depth; a longer or shorter one falls under no limit. */
export function findLimit(domain: DescriptorLevel, entries: readonly Entry[]): Match | undefined {
  let level = domain
  let shared: Map<number, string> | undefined
  for (const [index, { key, value }] of entries.entries()) {
    const composite = `${key}_${value}`
    let node = level.nodes.get(composite)
    if (!node) {
      const wildcard = level.wildcards.find(({ parts }) => matchesPattern(parts, composite))
      node = wildcard?.node ?? level.nodes.get(key)
      if (wildcard?.node.isShared) {
        shared ??= new Map()
        shared.set(index, sharedValue(wildcard, key))
      }
    }
    if (!node) return undefined
    if (index === entries.length - 1) return node.limit && { limit: node.limit, shared: shared ?? NOTHING_SHARED }
    level = node
  }
  return undefined
}

/** The part of the pattern that stands for the value; all of it where the star stands in the key. */
function sharedValue({ pattern }: Wildcard, key: string): string {
  return pattern.startsWith(`${key}_`) ? pattern.slice(key.length + 1) : pattern
}

/** Each star between two parts stands for any text, also none. */
export function matchesPattern(parts: readonly string[], text: string): boolean {
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let from = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from)
    if (found < 0 || found + part.length > end) return false
    from = found + part.length
  }
  return true
}
