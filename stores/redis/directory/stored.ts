/**
 * The forms in which policy, tenants and keys stand in Redis. They are read strictly: what another version has written, or
 * another program, is told in words and used by nobody.
 */
import { z } from 'zod'
import type { IssuedKey } from '../../../core/credentials/records.ts'
import { NAME, ROLE, SCOPE, TENANT_ID } from '../../../core/names.ts'
import type { ApiKey, CertificateEntry } from '../../../core/policy.ts'
import { lineOf, readLine } from '../../records/state-lines.ts'

/** Which forms these are: whoever changes one in a way that older versions misread counts on. */
const FORMAT = 1

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  /** Worded to follow a name for what was read; quotes nothing of it. */
  | { readonly ok: false; readonly problem: string }

/** Which import is live, and how often anything has changed. */
export interface Head {
  /** Names the keys in Redis that hold the live policy and its tenants. */
  readonly generation: number
  /** The version of the imported policy, as `Policy.version`. */
  readonly policy: string
  /** Counted on by every change: of policy, tenants, keys and records. */
  readonly revision: number
  /** Counted on by changes of policy and tenants alone; a tenant's own revision is what it was after the last change of it. */
  readonly edition: number
}

/** A policy without its tenants, and the files that it names. */
export interface Bundle {
  readonly version: string
  /** The file as whoever imported it has named it: problems are told by it. */
  readonly source: string
  /** A policy file with `tenants: {}`, its lines where they were. */
  readonly text: string
  /** Texts of the files that it names, by the paths that it writes; never those of secrets. */
  readonly files: Readonly<Record<string, string>>
}

export interface StoredTenant {
  readonly revision: number
  /** As a policy file writes it, less `apiKeys`. */
  readonly entry: Readonly<Record<string, unknown>>
  /** The `limits` of its API keys as a policy file writes them, by the key's id. */
  readonly credentialLimits?: Readonly<Record<string, readonly unknown[]>>
}

const count = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const head = z.object({ generation: count.min(1), policy: z.string().min(1), revision: count, edition: count })

/** Of HGETALL; undefined where no policy was ever imported. */
export function readHead(fields: Readonly<Record<string, string>>): Read<Head> | undefined {
  return fields.generation === undefined ? undefined : readWith(head, fields)
}

const bundle = z.strictObject({
  format: z.literal(FORMAT),
  version: z.string().min(1),
  source: z.string(),
  text: z.string(),
  files: z.record(z.string(), z.string()),
})

export function writeBundle(value: Bundle): string {
  return JSON.stringify({ format: FORMAT, ...value })
}

export function readBundle(text: string): Read<Bundle> {
  const read = readText(bundle, text)
  if (!read.ok) return read
  const { format: _, ...value } = read.value
  return { ok: true, value }
}

const tenant: z.ZodType<StoredTenant> = z.strictObject({
  revision: count,
  entry: z.record(z.string(), z.unknown()),
  credentialLimits: z.record(z.string(), z.array(z.unknown())).optional(),
}) as z.ZodType<StoredTenant>

export type TenantFacts = Omit<StoredTenant, 'revision'>

/** Without the revision, which is known when it is stored; two texts of the same facts, written in one order, are the same. */
export function writeTenant({ entry, credentialLimits }: TenantFacts): string {
  return JSON.stringify({ entry, credentialLimits })
}

/** `text` by `writeTenant`; `set.lua` does the same. */
export function withRevision(text: string, revision: number): string {
  return `{"revision":${revision},${text.slice(1)}`
}

export function readTenant(text: string): Read<StoredTenant> {
  return readText(tenant, text)
}

const rights = {
  tenant: z.string().regex(TENANT_ID),
  id: z.string().regex(NAME),
  roles: z.array(z.string().regex(ROLE)),
  scopes: z.array(z.string().regex(SCOPE)),
}

const key: z.ZodType<ApiKey> = z.strictObject({
  ...rights,
  notBefore: z.number().optional(),
  expiresAt: z.number().optional(),
}) as z.ZodType<ApiKey>

export function writeKey({ tenant, id, roles, scopes, notBefore, expiresAt }: ApiKey): string {
  return JSON.stringify({ tenant, id, roles, scopes, notBefore, expiresAt })
}

export function readKey(text: string): Read<ApiKey> {
  return readText(key, text)
}

/** A key that was issued while running, as a line of a state file. */
export function writeIssued(issued: IssuedKey, now: number): string {
  return lineOf(issued, now).trimEnd()
}

export function readIssued(line: string): Read<IssuedKey> {
  const read = readLine(line)
  if (!read.ok) return { ok: false, problem: strange(read.problem) }
  return read.record.kind === 'key' ? { ok: true, value: read.record } : { ok: false, problem: strange('is no key') }
}

const certificates = z.array(
  z.strictObject({
    ...rights,
    name: z.strictObject({ kind: z.enum(['uri', 'dns', 'subject']), pattern: z.string().min(1) }),
  }),
)

export function writeCertificates(entries: readonly CertificateEntry[]): string {
  return JSON.stringify(entries)
}

/** Of one tenant. */
export function readCertificates(text: string): Read<readonly CertificateEntry[]> {
  return readText(certificates, text)
}

/** What a change was of; `id` is a tenant's, or the hash of a key. */
export interface Change {
  readonly kind: 'tenant' | 'key' | 'records' | 'policy'
  readonly id: string
  readonly revision: number
}

const change = z.object({ kind: z.enum(['tenant', 'key', 'records', 'policy']), id: z.string(), revision: count })

/** The fields of an entry of the stream, one after the other; undefined where it can mean anything. */
export function readChange(fields: readonly string[]): Change | undefined {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? ''])
  const read = change.safeParse(Object.fromEntries(pairs))
  return read.success ? read.data : undefined
}

function readText<T>(schema: z.ZodType<T>, text: string): Read<T> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, problem: 'is not JSON' }
  }
  const { format } = Object(value) as { readonly format?: unknown }
  if (typeof format === 'number' && format > FORMAT) {
    return { ok: false, problem: `has format ${format}, and this version reads ${FORMAT} at most: use a newer one` }
  }
  return readWith(schema, value)
}

function readWith<T>(schema: z.ZodType<T>, value: unknown): Read<T> {
  const read = schema.safeParse(value)
  if (read.success) return { ok: true, value: read.data }
  const [issue] = read.error.issues
  const place = issue?.path.join('.') ?? ''
  return { ok: false, problem: strange(place === '' ? 'is not understood' : `is not understood at ${place}`) }
}

function strange(what: string): string {
  return `${what}; another version may have written it`
}
