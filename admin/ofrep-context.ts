/** The context of a question by OFREP: flat, and what is known of its tenant in the place of what the caller says of it. */
import type { EvaluationContext, KeyedBy } from '../core/flags/context.ts'
import { MOST_CHARACTERS_OF_USER as MOST_CHARACTERS, TIMESTAMP } from '../core/flags/context.ts'
import { MOST_ENTRIES } from '../core/names.ts'
import { type Tenant, UNAVAILABLE } from '../core/policy.ts'
import type { AdminParts } from './parts.ts'
import { answered, StoreAway } from './store-away.ts'
import { INHERITED } from './words.ts'

/** What a caller says, checked. */
export type Given = Readonly<Record<string, string | number | boolean | readonly string[]>>

const MOST_FIELDS = 256

/** Those that decisions have too, and what they are there. */
const OF_DECISIONS: Readonly<Record<string, 'text' | 'list'>> = {
  targetingKey: 'text',
  tenant: 'text',
  plan: 'text',
  user: 'text',
  route: 'text',
  roles: 'list',
}

/** The context as it was sent; a text says what is wrong with it. Names are quoted, values never. */
export function readContext(context: unknown): Given | string {
  if (typeof context !== 'object' || context === null || Array.isArray(context)) return '`context` is not an object'
  const entries = Object.entries(context)
  if (entries.length > MOST_FIELDS) return `\`context\` has more than ${MOST_FIELDS} fields`
  for (const [name, value] of entries) {
    const fault = faultOf(name, value)
    if (fault !== undefined) return `\`${name.slice(0, 100)}\` ${fault}`
  }
  return Object.fromEntries(entries)
}

function faultOf(name: string, value: unknown): string | undefined {
  if (INHERITED.has(name)) return 'is no name for a field of a context'
  const wanted = OF_DECISIONS[name]
  if (typeof value === 'string' && isLong(value)) return `has more than ${MOST_CHARACTERS} characters`
  if (wanted === 'text') return typeof value === 'string' ? undefined : 'is not a text'
  if (isTexts(value)) {
    if (value.length > MOST_ENTRIES) return `has more than ${MOST_ENTRIES} entries`
    return value.some(isLong) ? `has an entry of more than ${MOST_CHARACTERS} characters` : undefined
  }
  if (wanted === 'list') return 'is not a list of texts'
  const isFlat = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isFlat ? undefined : 'is not a text, a number, true, false or a list of texts: contexts are flat'
}

const isLong = (text: string) => text.length > MOST_CHARACTERS

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}

/** The tenant that the context names, by id or alias; undefined where it names none that is known. Rejects with `StoreAway`. */
export async function tenantIn({ tenant }: Given, { policy }: Pick<AdminParts, 'policy'>): Promise<Tenant | undefined> {
  if (typeof tenant !== 'string' || tenant === '') return undefined
  const found = await answered(policy().directory.byName(tenant))
  if (found === UNAVAILABLE) throw new StoreAway()
  return found
}

/**
 * As a decision would have it of the same tenant, user, roles and route, with what else was sent. Undefined where nobody says whom
 * the flag is sticky for: an empty key says it of nobody. `now` is in ms since the epoch.
 */
export function contextFor(
  given: Given,
  tenant: Tenant | undefined,
  keyedBy: KeyedBy,
  now: number,
): EvaluationContext | undefined {
  const { user = '', roles = [], route = '' } = given
  const targetingKey = given.targetingKey || keyOf(given, tenant, keyedBy)
  if (targetingKey === undefined) return undefined
  return {
    tenant: '',
    plan: '',
    ...given,
    ...tenant?.attributes,
    ...(tenant && { tenant: tenant.id, plan: tenant.plan }),
    user,
    roles,
    route,
    targetingKey,
    [TIMESTAMP]: Math.floor(now / 1000),
  }
}

function keyOf(given: Given, tenant: Tenant | undefined, keyedBy: KeyedBy) {
  const { user = '' } = given
  const id = tenant?.id ?? given.tenant ?? ''
  const key = keyedBy === 'user' && user !== '' ? user : id
  return key === '' ? undefined : key
}
