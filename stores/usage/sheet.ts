/** The lines of one hour or day: decisions by tenant, credential, route and outcome, as many lines as there is room for. */
import { hash } from 'node:crypto'
import type { Reason } from '../../core/decision.ts'
import { maskSecrets } from '../../core/mask-secrets.ts'
import { OTHERS, type Use } from '../../core/usage.ts'

export interface Line {
  readonly credential: string
  readonly route: string
  readonly outcome: Reason
  count: number
}

/** How many lines there may be, shared by all sheets of one owner. */
export interface Room {
  readonly perTenant: number
  readonly total: number
  /** Lines that there are. */
  used: number
  /** Decisions for which there was no line of their own. */
  folded: number
}

/** By tenant. */
export type Sheet = Map<string, TenantLines>

export interface TenantLines {
  readonly credentials: Map<string, Map<string, Map<Reason, Line>>>
  readonly all: Line[]
}

/**
 * The line of a decision, begun where there is none. When a tenant has too many, credentials go first, then routes: twice
 * `perTenant` is never exceeded by more than the number of outcomes. When all tenants together have too many, new ones are told
 * by tenant and outcome alone, and beyond twice `total` by outcome.
 */
export function lineOf(sheet: Sheet, use: Use, room: Room): Line {
  const line = sheet.get(use.tenant)?.credentials.get(use.credential)?.get(use.route)?.get(use.outcome)
  return line ?? unusualLine(sheet, use, room)
}

function unusualLine(sheet: Sheet, { tenant, credential, route, outcome }: Use, room: Room): Line {
  const size = sheet.get(tenant)?.all.length ?? 0
  const isRoomy = room.used < room.total
  const isFull = !isRoomy || size >= room.perTenant
  // a name that is written as it is has been looked for already
  const name = isFull && credential.length <= LONGEST_NAME ? undefined : shownName(credential)
  const known = name !== undefined && sheet.get(tenant)?.credentials.get(name)?.get(route)?.get(outcome)
  if (known) return known
  if (name !== undefined && !isFull) return find(sheet, tenant, name, route, outcome, room)
  room.folded += 1
  if (isRoomy && size < 2 * room.perTenant) return find(sheet, tenant, OTHERS, route, outcome, room)
  if (room.used < 2 * room.total) return find(sheet, tenant, OTHERS, OTHERS, outcome, room)
  return find(sheet, OTHERS, OTHERS, OTHERS, outcome, room)
}

function find(sheet: Sheet, tenant: string, credential: string, route: string, outcome: Reason, room: Room): Line {
  const lines = entry(sheet, tenant, (): TenantLines => ({ credentials: new Map(), all: [] }))
  const routes = entry(lines.credentials, credential, () => new Map<string, Map<Reason, Line>>())
  const outcomes = entry(routes, route, () => new Map<Reason, Line>())
  return entry(outcomes, outcome, () => {
    const line = { credential, route, outcome, count: 0 }
    lines.all.push(line)
    room.used += 1
    return line
  })
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

/** Longer ones, which issuers choose, are cut and told apart by the beginning of a hash. */
const LONGEST_NAME = 128
const LEFT_OF_LONG = 96

/** The name as it may be written down: no credential in it, and not long. */
function shownName(name: string): string {
  const masked = maskSecrets(name.replace(LONE, '\ufffd'))
  if (masked.length <= LONGEST_NAME) return masked
  return `${masked.slice(0, LEFT_OF_LONG).replace(LONE, '')}…${hash('sha256', name, 'hex').slice(0, 16)}`
}

/** Half a character of UTF-16, which UTF-8 cannot write. */
const LONE = /\p{Surrogate}/gu
