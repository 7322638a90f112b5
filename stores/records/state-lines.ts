/** The lines of a state file: one JSON object each, strict, since what is misspelt would otherwise revoke nothing. */
import { z } from 'zod'
import type { AdminRecord } from '../../core/credentials/records.ts'
import { NAME, ROLE, SCOPE, TENANT_ID } from '../../core/names.ts'

/** Says that the line before was never finished, because a process or a disk ended in it. */
export const TORN = '{"kind":"torn"}'

/** RFC 3339, in the file; ms since the epoch, for us. */
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const tenant = z.string().regex(TENANT_ID)
const id = z.string().regex(NAME)
/** As a policy writes it; the digest alone is what keys are looked up by. */
const hash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text.slice('sha256:'.length))
const text = z.string().min(1).max(4096)
/** When the line was written: for people, so it costs no reading. */
const time = z.string().max(64).optional()

const line = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('key'),
    time,
    tenant,
    id,
    hash,
    scopes: z.array(z.string().regex(SCOPE)).default([]),
    roles: z.array(z.string().regex(ROLE)).default([]),
    notBefore: instant.optional(),
    expiresAt: instant.optional(),
  }),
  z.strictObject({ kind: z.literal('replaced'), time, hash, at: instant }),
  z.strictObject({ kind: z.literal('revoked-credential'), time, tenant, id }),
  z.strictObject({ kind: z.literal('revoked-token'), time, issuer: text.optional(), jti: text }),
  z.strictObject({ kind: z.literal('revoked-subject'), time, issuer: text.optional(), subject: text, before: instant }),
  z.strictObject({ kind: z.literal('revoked-tenant'), time, tenant, before: instant }),
  z.strictObject({
    kind: z.literal('flag-switched'),
    time,
    flag: text,
    to: z.enum(['off', 'on']),
    // a later one can be written behind it
    at: instant.refine((ms) => ms < Date.UTC(9999), 'is too late'),
  }),
])

export type ReadLine =
  | { readonly ok: true; readonly record: AdminRecord }
  | { readonly ok: false; readonly problem: string }

/** Reads one line, which is not blank. The problem is in words and quotes no value. */
export function readLine(source: string): ReadLine {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    return { ok: false, problem: 'is not JSON' }
  }
  const read = line.safeParse(value)
  if (!read.success) return { ok: false, problem: wordsOf(read.error) }
  const { time: _, ...record } = read.data
  // what is left out in the line is left out here too, which the library's types do not tell
  return { ok: true, record: record as AdminRecord }
}

/** The line of a record, with its end; `now` is when it was recorded, in ms since the epoch, where that is known. */
export function lineOf(record: AdminRecord, now?: number): string {
  const { kind, ...rest } = record
  const fields = Object.entries(rest).map(([name, value]) => [name, writtenAs(name, value)])
  const time = now === undefined ? undefined : instantText(now)
  return `${JSON.stringify({ kind, time, ...Object.fromEntries(fields) })}\n`
}

const INSTANTS: ReadonlySet<string> = new Set(['notBefore', 'expiresAt', 'at', 'before'])

function writtenAs(name: string, value: unknown): unknown {
  if (name === 'hash') return `sha256:${value}`
  return INSTANTS.has(name) && typeof value === 'number' ? instantText(value) : value
}

function instantText(ms: number): string {
  return new Date(ms).toISOString()
}

function wordsOf({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.join('.') ?? ''
  return `${path === '' ? '' : `${path}: `}${issue?.message ?? 'is no record'}`
}
