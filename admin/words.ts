/** The words of requests: names, instants, spans of time, pages. */
import { z } from 'zod'
import { holdsSecret } from '../core/mask-secrets.ts'
import { LIMIT_SCOPE, MOST_ENTRIES, NAME, ROLE, SCOPE, TENANT_ID } from '../core/names.ts'
import { OVERLAP_WORDS, overlapMs } from './overlap.ts'

/** ms since the epoch, of RFC 3339. */
export const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

export const tenantId = z.string().regex(TENANT_ID, 'is not a tenant id')

/** No name that a policy or a client gives: code that looks them up in an object finds something there. */
export const INHERITED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Pasted by mistake, it would be written where no credential may stand. */
const holdsNone = (value: string) => !holdsSecret(value)

export const credentialId = z
  .string()
  .regex(NAME, 'is not the id of a credential')
  .refine(holdsNone, 'is a key, and not its id')
export const limitName = z
  .string()
  .regex(NAME, 'is not the name of a limit')
  .refine(holdsNone, 'is a credential, and no name')

/** A flag's name is any text; in a path it stands percent-encoded (RFC 3986 §2.1). What every object has is none. */
export const isFlagName = (name: string): boolean => PLAIN_NAME.test(name) && !INHERITED.has(name)
const PLAIN_NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u
export const flagName = z
  .string()
  .transform((text, context) => {
    try {
      return decodeURIComponent(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'is not percent-encoded UTF-8' })
      return z.NEVER
    }
  })
  .refine(isFlagName, 'is not the name of a flag')
  .refine(holdsNone, 'is a credential, and no name')

/** Whose limit it is. */
export const limitScope = z
  .string()
  .regex(LIMIT_SCOPE, 'is not `tenant`, `route:NAME` or `credential:ID`')
  .refine(holdsNone, 'is a credential, and no name')

/** What tokens say: an issuer, a subject, an id. */
export const claim = z.string().min(1).max(4096).refine(holdsNone, 'is a credential, and not what stands in it')

const unique = (entries: readonly string[]): readonly string[] => [...new Set(entries)]
/** What somebody calls a tenant: its id or an alias. */
export const tenantName = z
  .string()
  .regex(/^[^\s\p{C}]{1,255}$/u, 'is not the id or an alias of a tenant')
  .refine(holdsNone, 'is a credential, and no tenant')

export const scopes = z.array(z.string().max(256).regex(SCOPE, 'is not a scope')).max(MOST_ENTRIES).transform(unique)
export const roles = z.array(z.string().max(256).regex(ROLE, 'is not a role')).max(MOST_ENTRIES).transform(unique)

/** ms of a text such as `24h`: at most 90 days. */
export const overlap = z.string().transform((text, context) => {
  const ms = overlapMs(text)
  if (ms !== undefined) return ms
  context.addIssue({ code: 'custom', message: `is not ${OVERLAP_WORDS}` })
  return z.NEVER
})

export const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, 'is not a number')
    .transform(Number)
    .refine((number) => number >= least && number <= most, `is not between ${least} and ${most}`)

/** The part of a list that is asked for. */
export const page = { limit: count(1, 1000).default(100), offset: count(0, 9_999_999).default(0) }

/** RFC 3339 has four digits for a year: nothing can be told later than this, in ms since the epoch. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** RFC 3339 of ms since the epoch, of what is later the last instant that it knows; undefined stays. */
export function instantText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(Math.min(ms, LAST_INSTANT)).toISOString()
}

/** The part of the entries that is asked for, and how many there are. */
export function pageOf<T>(entries: Iterable<T>, { limit, offset }: { limit: number; offset: number }) {
  const shown: T[] = []
  let total = 0
  for (const entry of entries) {
    if (total >= offset && shown.length < limit) shown.push(entry)
    total += 1
  }
  return { shown, total }
}
