/** One bucket of a limit: which one is meant, and whose a bucket is. */
import { bucketKeyOf, valuesInKey } from '../core/limits/bucket-key.ts'
import { countedValueOf, shownValue } from '../core/limits/counted-values.ts'
import type { CountedBy, Limit } from '../core/limits/limit.ts'
import type { ScopedSeries } from '../core/limits/series.ts'
import { MASK, maskSecrets } from '../core/mask-secrets.ts'
import type { Policy } from '../core/policy.ts'
import { type Problem, problem } from './answer.ts'
import { hasCertificate, hasKey } from './known-credentials.ts'
import type { AdminParts } from './parts.ts'

/** What a bucket counts by beside its tenant, each with the value in its key. */
export type CountedValues = readonly (readonly [by: CountedBy, value: string])[]

export interface Bucket {
  /** Undefined for all of a limit's. */
  readonly key: string | undefined
  readonly by: CountedValues
}

/** What people write: `{"user":"u1"}`. */
type Given = Readonly<Record<string, string>>

/** What a limit counts by, beside the tenant. */
export function partsOfKey({ by }: Limit): readonly CountedBy[] {
  return by.filter((each) => each !== 'tenant')
}

/** Undefined for a bucket that is left from when the limit counted by something else. */
export function byOf({ series, limit }: ScopedSeries, key: string): CountedValues | undefined {
  const counted = partsOfKey(limit)
  const values = valuesInKey(series, key)
  if (values?.length !== counted.length) return undefined
  return counted.map((by, i) => [by, values[i] ?? ''])
}

/** Every bucket of a limit, where none is meant in particular. */
export function allOf({ limit }: ScopedSeries, given: Given): Bucket | Problem {
  if (Object.keys(given).length === 0) return { key: undefined, by: [] }
  return problem('malformed', `'${limit.name}': all buckets, or the one of \`by\`, not both.`)
}

/** The bucket that is meant; what is missing, or of no use, is a problem. */
export async function bucketOf(of: ScopedSeries, given: Given, parts: AdminParts): Promise<Bucket | Problem> {
  const { series, limit, scope } = of
  const wanted = partsOfKey(limit)
  const texts = new Map(Object.entries(given).map(([name, text]) => [folded(name), text]))
  const useless = [...texts.keys()].find((name) => !wanted.some((by) => by === name))
  if (useless !== undefined) {
    const quoted = maskSecrets(useless)
    return problem('malformed', `'${limit.name}' counts by ${limit.by.join(' and ')}, not by '${quoted}'.`)
  }
  const [, kind = '', name] = /^(route|credential):(.+)$/.exec(scope) ?? []
  // a limit of a route, or of a credential, has buckets of that one alone
  if (name !== undefined && !texts.has(kind)) texts.set(kind, name)
  const missing = wanted.filter((by) => !texts.has(by))
  if (missing.length > 0) {
    const which = `say whose bucket is meant, by ${missing.join(' and ')}; a reset may be of all`
    return problem('ambiguous_bucket', `'${limit.name}' counts by ${limit.by.join(' and ')}: ${which}.`)
  }
  const by: [by: CountedBy, value: string][] = []
  for (const each of wanted) by.push([each, await meantBy(each, texts.get(each) ?? '', of.tenant, parts)])
  const values = by.map(([, value]) => value)
  return { key: bucketKeyOf(series, values), by }
}

/** Names of headers do not depend on case. */
function folded(name: string): string {
  return /^header:/i.test(name) ? name.toLowerCase() : name
}

/** A credential that is called by its id alone is the tenant's key of that id, or its certificate. */
async function meantBy(by: CountedBy, text: string, tenant: string, parts: AdminParts): Promise<string> {
  const isCertificate =
    by === 'credential' && hasCertificate(parts, tenant, text) && !(await hasKey(parts, tenant, text))
  return countedValueOf(by, isCertificate ? `clientCertificate:${text}` : text)
}

/** Whose a bucket is, in words. What clients have sent as a credential is not told, nor its hash. */
export function shownBy(by: CountedValues, { identity }: Policy): Record<string, string> {
  const secret = new Set([...CREDENTIAL_HEADERS, identity.apiKey.header].map((name) => `header:${name}`))
  return Object.fromEntries(
    by.map(([each, value]) => [each, secret.has(each) && value !== '' ? MASK : maskSecrets(shownValue(each, value))]),
  )
}

const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie']
