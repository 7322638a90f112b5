/** Which keys a configuration knows, what each holds, and in which map it means something. */

export type ShapeName = 'file' | 'descriptor' | 'rate_limit' | 'replaces'

/** A map or a list of maps has a shape of its own. */
export type FieldKind = 'text' | 'count' | 'flag' | 'json' | { readonly map: ShapeName } | { readonly list: ShapeName }

export const SHAPES: Readonly<Record<ShapeName, Readonly<Record<string, FieldKind>>>> = {
  file: { domain: 'text', descriptors: { list: 'descriptor' } },
  descriptor: {
    key: 'text',
    value: 'text',
    rate_limit: { map: 'rate_limit' },
    descriptors: { list: 'descriptor' },
    shadow_mode: 'flag',
    quota_mode: 'flag',
    detailed_metric: 'flag',
    value_to_metric: 'flag',
    share_threshold: 'flag',
    metadata: 'json',
  },
  rate_limit: {
    requests_per_unit: 'count',
    unit: 'text',
    unlimited: 'flag',
    name: 'text',
    replaces: { list: 'replaces' },
  },
  replaces: { name: 'text' },
}

/** A known key is legal in any map, as envoyproxy/ratelimit has it; outside its own it does nothing. */
export const KNOWN_KEYS: ReadonlySet<string> = new Set(Object.values(SHAPES).flatMap(Object.keys))

const PLACES: Readonly<Record<ShapeName, string>> = {
  file: 'at the top of the file',
  descriptor: 'in a descriptor, beside `key`',
  rate_limit: 'inside `rate_limit`',
  replaces: 'inside an entry of `replaces`',
}

/** Where a known key belongs, in words. */
export function placeOf(key: string): string {
  const shapes = Object.keys(SHAPES).filter((name): name is ShapeName => Object.hasOwn(SHAPES[name as ShapeName], key))
  return shapes.map((name) => PLACES[name]).join(' or ')
}
