/** The small pieces that the schema is made of: names, hosts, references, and how a refusal is worded. */
import { z } from 'zod'
import { FLAG_NAME, FLAG_NAME_WORDS, MOST_ENTRIES, NAME, ROLE, SCOPE, TENANT_ID } from '../../core/names.ts'
import { DURATION, durationMs, instantMs } from '../units.ts'

/**
 * A refusal and its remedy in one text, which is all that the schema library carries; `wordsOf` takes it apart again.
 */
export function refusal(message: string, fix: string): string {
  return `${message}\n${fix}`
}

/** The parts of a text made by `refusal`, or undefined for any other text. */
export function wordsOf(text: string): { readonly message: string; readonly fix?: string } | undefined {
  const cut = text.indexOf('\n')
  if (cut === -1) return undefined
  const fix = text.slice(cut + 1)
  return fix === '' ? { message: text.slice(0, cut) } : { message: text.slice(0, cut), fix }
}

/** RFC 9110 §5.6.2: token. */
export const HTTP_TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export function tenantId() {
  return z
    .string()
    .regex(TENANT_ID, refusal('is not a tenant id', 'up to 63 of a–z, 0–9, - and _, a letter or digit at both ends,'))
}

export function name(of: string) {
  return z
    .string()
    .regex(
      NAME,
      refusal(`is not a name for ${of}`, 'up to 64 letters, digits, dots, - and _, a letter or digit at both ends,'),
    )
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`)
const HOST_PATTERN = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)
const HOST_SUFFIX = new RegExp(`^(?=.{2,253}$)(?:\\.${LABEL})+$`)

export function host() {
  return z.string().regex(HOST, refusal('is not a host name', 'a name in lower case without port and trailing dot'))
}

export function hostPattern() {
  const fix = '`api.example.com` or `*.example.com`, in lower case without port and trailing dot,'
  return z.string().regex(HOST_PATTERN, refusal('is not a host name or wildcard', fix))
}

export function hostSuffix() {
  return z.string().regex(HOST_SUFFIX, refusal('is not a suffix of host names', '`.api.example.com`, in lower case,'))
}

export function scope() {
  return z.string().regex(SCOPE, refusal('is not a scope', 'visible ASCII without comma, quote, backslash and space'))
}

export function role() {
  return z.string().regex(ROLE, refusal('is not a role', 'visible ASCII without comma and space'))
}

/** A flag, also one that a provider outside knows: its name stands in metrics, and in headers that choose variants. */
export function flagName() {
  return z.string().regex(FLAG_NAME, refusal('is not the name of a flag', FLAG_NAME_WORDS))
}

/** A duration between two others, ends included. */
export function durationWithin(least: string, most: string) {
  const isNone = refusal('is not a duration', `a duration such as \`${least}\``)
  return z
    .string({ error: isNone })
    .regex(DURATION, isNone)
    .refine((text) => !DURATION.test(text) || isWithin(durationMs(text), durationMs(least), durationMs(most)), {
      error: refusal(`is not between ${least} and ${most}`, `\`${least}\` to \`${most}\``),
    })
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}

/** A list whose entries differ. */
export function distinct<T extends z.ZodType<string>>(entry: T) {
  const check = (entries: readonly string[], context: z.RefinementCtx) => {
    const seen = new Set<string>()
    for (const [index, value] of entries.entries()) {
      if (seen.has(value))
        context.addIssue({ code: 'custom', path: [index], message: refusal('stands there twice', '') })
      seen.add(value)
    }
  }
  return z.array(entry).superRefine(check).meta({ uniqueItems: true })
}

/**
 * Scopes or roles of a credential. How many there may be editors are told here, and `checkCredentials` asks: what an older version
 * has stored is read all the same.
 */
export function rights(entry: z.ZodType<string>) {
  return distinct(entry).meta({ uniqueItems: true, maxItems: MOST_ENTRIES }).default([])
}

/** A date-time of RFC 3339. */
export const instant = z
  .string()
  .refine((text) => instantMs(text) !== undefined, {
    error: refusal('is not a date-time of RFC 3339 with an offset', 'one such as `2027-01-01T00:00:00Z`'),
  })
  .meta({ format: 'date-time' })
