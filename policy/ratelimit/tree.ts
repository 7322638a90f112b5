/** Builds the domains of a configuration from the fields of its files, and says what is wrong with what they mean. */
import type {
  ConfiguredLimit,
  DescriptorConfig,
  DescriptorNode,
  JsonObject,
  Wildcard,
} from '../../core/descriptors/config.ts'
import type { Unit } from '../../core/descriptors/descriptor.ts'
import { TENANT_DOMAIN } from '../../core/descriptors/tenant-domain.ts'
import { nearest } from '../nearest.ts'
import type { Spot, Telling } from './decoding.ts'
import { type Fields, type FieldValue, isFields } from './fields.ts'

const UNITS: readonly Unit[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year']

/** A level that is still being filled. */
interface Level {
  readonly nodes: Map<string, DescriptorNode>
  readonly wildcards: Wildcard[]
  /** Where each composite key stands. */
  readonly places: Map<string, string>
}

export interface TreeBuilder {
  /** Adds a file; `place` says where a spot of it stands, for problems that name two places. */
  add(file: Fields, telling: Telling, place: (spot: Spot) => string): void
  finish(): DescriptorConfig
}

export function createTree(mergeDomains: boolean): TreeBuilder {
  const domains = new Map<string, Level & { readonly place: string }>()
  return {
    add(file, telling, place) {
      const domain = textOf(file, 'domain')
      const spot = file.byName.get('domain')?.spot ?? { ...file.spot, path: ['domain'] }
      const known = domains.get(domain)
      if (domain === '') telling.problem(spot, { message: 'is missing or empty', fix: '`domain: …`' })
      else if (domain === TENANT_DOMAIN) telling.problem(spot, { message: RESERVED, fix: 'another name' })
      else if (known && !mergeDomains) {
        telling.problem(spot, { message: `is the domain of another file too (see ${known.place})`, fix: MERGE_FIX })
      }
      // an unnamed file is still looked through for problems
      const level = (domain !== '' && known) || { ...emptyLevel(), place: place(spot) }
      if (domain !== '' && domain !== TENANT_DOMAIN) domains.set(domain, level)
      addDescriptors(file, level, `${domain}.`, telling, place)
    },
    finish: () => ({ domains }),
  }
}

const RESERVED = 'is the name under which the limits of the policy answer'
const MERGE_FIX = 'both in one file, or set MERGE_DOMAIN_CONFIG=true, or a name of its own'

function emptyLevel(): Level {
  return { nodes: new Map(), wildcards: [], places: new Map() }
}

function addDescriptors(
  from: Fields,
  level: Level,
  parent: string,
  telling: Telling,
  place: (spot: Spot) => string,
): void {
  for (const fields of listOf(from, 'descriptors')) {
    const key = textOf(fields, 'key')
    if (key === '') telling.problem(spotOf(fields, 'key'), { message: 'is missing or empty', fix: '`key: …`' })
    const value = textOf(fields, 'value')
    const composite = value === '' ? key : `${key}_${value}`
    const first = level.places.get(composite)
    if (first !== undefined && key !== '') {
      telling.problem(spotOf(fields, 'key'), { message: `stands there twice (see ${first})`, fix: 'one descriptor' })
    }
    const series = `${parent}${composite}`
    const below = emptyLevel()
    addDescriptors(fields, below, `${series}.`, telling, place)
    const limit = limitOf(fields, series, telling)
    const isShared = flagOf(fields, 'share_threshold')
    if (isShared && !composite.includes('*')) {
      telling.problem(spotOf(fields, 'share_threshold'), {
        message: 'needs a pattern in `value`',
        fix: 'a value with `*`',
      })
    }
    noteUseless(fields, limit, telling)
    const node: DescriptorNode = { nodes: below.nodes, wildcards: below.wildcards, isShared, ...(limit && { limit }) }
    if (first === undefined) {
      level.nodes.set(composite, node)
      level.places.set(composite, place(fields.spot))
      if (composite.includes('*')) level.wildcards.push({ pattern: composite, parts: composite.split('*'), node })
    }
  }
}

function limitOf(descriptor: Fields, series: string, telling: Telling): ConfiguredLimit | undefined {
  const fields = descriptor.byName.get('rate_limit')?.value
  if (!isFields(fields)) return undefined
  const unlimited = flagOf(fields, 'unlimited')
  const unit = unitOf(fields, unlimited, telling)
  const name = textOf(fields, 'name')
  const metadata = descriptor.byName.get('metadata')?.value
  if (!unlimited && !fields.byName.has('requests_per_unit')) {
    telling.note(fields.spot, { message: 'has no `requests_per_unit`: that is 0, and refuses everything' })
  }
  return {
    series,
    name,
    requestsPerUnit: countOf(fields, 'requests_per_unit'),
    unit: unlimited ? undefined : unit,
    isShadow: flagOf(descriptor, 'shadow_mode'),
    isQuota: flagOf(descriptor, 'quota_mode'),
    replaces: listOf(fields, 'replaces').map((entry) => replacedBy(entry, name, telling)),
    ...(isJson(metadata) && Object.keys(metadata).length > 0 && { metadata }),
  }
}

function unitOf(fields: Fields, unlimited: boolean, { problem, note }: Telling): Unit | undefined {
  const text = textOf(fields, 'unit')
  const unit = UNITS.find((known) => known === text.toLowerCase())
  const spot = spotOf(fields, 'unit')
  if (unlimited) {
    if (unit) problem(spot, { message: 'stands beside `unlimited`', fix: 'one of the two' })
    else if (text !== '') note(spot, { message: 'has no effect beside `unlimited`' })
  } else if (!unit) {
    const guess = text === '' ? undefined : nearest(text, UNITS)
    const message = text === '' ? 'is missing or empty' : 'is not a unit that is known'
    problem(spot, {
      message: guess ? `${message}; did you mean \`${guess}\`?` : message,
      fix: `one of ${UNITS.join(', ')}`,
    })
  }
  return unit
}

function replacedBy(entry: Fields, name: string, { problem }: Telling): string {
  const other = textOf(entry, 'name')
  const spot = spotOf(entry, 'name')
  if (other === '') problem(spot, { message: 'is missing or empty', fix: 'the name of another limit' })
  else if (other === name)
    problem(spot, { message: 'is the name of the limit itself', fix: 'the name of another limit' })
  return other
}

/** Modes act on a limit of the same descriptor; the metrics' settings act nowhere here. */
function noteUseless(fields: Fields, limit: ConfiguredLimit | undefined, { note }: Telling): void {
  for (const name of ['detailed_metric', 'value_to_metric']) {
    if (flagOf(fields, name))
      note(spotOf(fields, name), { message: 'has no effect: it shapes statistics of envoyproxy/ratelimit' })
  }
  if (limit) return
  for (const name of ['shadow_mode', 'quota_mode', 'metadata']) {
    if (fields.byName.get(name)?.value)
      note(spotOf(fields, name), { message: 'has no effect: this descriptor has no `rate_limit`' })
  }
}

/** Where a field stands, or what should hold it. */
function spotOf(fields: Fields, name: string): Spot {
  return fields.byName.get(name)?.spot ?? { ...fields.spot, path: [...fields.spot.path, name] }
}

function textOf({ byName }: Fields, name: string): string {
  const value = byName.get(name)?.value
  return typeof value === 'string' ? value : ''
}

function countOf({ byName }: Fields, name: string): number {
  const value = byName.get(name)?.value
  return typeof value === 'number' ? value : 0
}

function flagOf({ byName }: Fields, name: string): boolean {
  return byName.get(name)?.value === true
}

function listOf({ byName }: Fields, name: string): readonly Fields[] {
  const value = byName.get(name)?.value
  return Array.isArray(value) ? value : []
}

function isJson(value: FieldValue): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value) && !isFields(value)
}
