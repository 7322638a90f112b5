/** What an answer tells other filters: what was asked, and the metadata of the limits that let it pass. */
import type { JsonObject } from './config.ts'
import type { Descriptor, DescriptorStatus, HitsRequest, Json } from './descriptor.ts'
import type { Match } from './match.ts'

export function hitMetadata(
  { domain, descriptors, hitsAddend }: HitsRequest,
  matches: readonly (Match | undefined)[],
  statuses: readonly DescriptorStatus[],
): JsonObject {
  let passed: JsonObject = {}
  for (const [index, { code, limit }] of statuses.entries()) {
    const own = limit && code === 'ok' ? matches[index]?.limit.metadata : undefined
    if (own) passed = joined(passed, own)
  }
  return {
    domain,
    descriptors: descriptors.map(described),
    ...(hitsAddend !== 0 && { hitsAddend }),
    ...(Object.keys(passed).length > 0 && { metadata: passed }),
  }
}

function described({ entries, limit, hits }: Descriptor): JsonObject {
  return {
    entries: entries.map(({ key, value }) => `${key}=${value}`),
    ...(limit && { limit: limitText(limit) }),
    ...(hits !== undefined && { hitsAddend: hits }),
  }
}

/** As protobuf's text format has it: what is 0 is left out. */
function limitText({ requestsPerUnit, unit }: NonNullable<Descriptor['limit']>): string {
  const fields = [requestsPerUnit > 0 && `requests_per_unit:${requestsPerUnit}`, unit && `unit:${unit.toUpperCase()}`]
  return fields.filter(Boolean).join(' ')
}

/** What comes first stays; objects are joined, all the way down. */
function joined(first: JsonObject, second: JsonObject): JsonObject {
  const both: Record<string, Json> = { ...first }
  for (const [name, value] of Object.entries(second)) {
    const known = Object.hasOwn(both, name) ? both[name] : undefined
    if (known === undefined) both[name] = value
    else if (isObject(known) && isObject(value)) both[name] = joined(known, value)
  }
  return both
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
