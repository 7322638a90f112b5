/**
 * What a scalar is to the YAML reader of envoyproxy/ratelimit (YAML 1.1 as Go's yaml.v2 has it): `yes` is true, `010` is
 * eight, and what stands in quotes is a text.
 */
import type { Scalar } from 'yaml'

/** A timestamp is a text. */
export type ScalarValue =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'null' }

const TAG = 'tag:yaml.org,2002:'
const KIND_OF_TAG: Readonly<Record<string, ScalarValue['kind']>> = {
  [`${TAG}int`]: 'int',
  [`${TAG}float`]: 'float',
  [`${TAG}bool`]: 'flag',
  [`${TAG}null`]: 'null',
}

/** Whether a tag promises what the text is not. */
export function hasFalseTag({ value, tag }: Scalar): boolean {
  const text = typeof value === 'string' ? value : ''
  if (tag === `${TAG}binary`) return !BASE64.test(text)
  if (tag === `${TAG}timestamp`) return !TIMESTAMP.test(text)
  const wanted = tag === undefined ? undefined : KIND_OF_TAG[tag]
  const { kind } = plainValue(text)
  return wanted !== undefined && kind !== wanted && !(wanted === 'float' && kind === 'int')
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?)?$/

/** Reads a scalar of a document in the failsafe schema, where every value is its text. */
export function scalarValue({ value, type, tag }: Scalar): ScalarValue {
  const text = typeof value === 'string' ? value : ''
  if (tag === `${TAG}binary`) return { kind: 'text', value: Buffer.from(text, 'base64').toString() }
  const isPlain = tag === undefined ? type === 'PLAIN' || type === undefined : Object.hasOwn(KIND_OF_TAG, tag)
  if (!isPlain) return { kind: 'text', value: text }
  const found = plainValue(text)
  const isFloat = tag === `${TAG}float` && found.kind === 'int'
  return isFloat ? { kind: 'float', value: Number(found.value) } : found
}

const FLAGS: ReadonlyMap<string, boolean> = new Map(
  [[true, ['y', 'yes', 'true', 'on']] as const, [false, ['n', 'no', 'false', 'off']] as const].flatMap(
    ([flag, words]) => words.flatMap(spellings).map((word) => [word, flag] as const),
  ),
)
const NULLS: ReadonlySet<string> = new Set(['', '~', ...spellings('null')])
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF'].flatMap((word) => [
    [word, Number.POSITIVE_INFINITY] as const,
    [`+${word}`, Number.POSITIVE_INFINITY] as const,
    [`-${word}`, Number.NEGATIVE_INFINITY] as const,
  ]),
])

/** `yes`, `Yes` and `YES`; no other mixture. */
function spellings(word: string): readonly string[] {
  return [word, `${word.charAt(0).toUpperCase()}${word.slice(1)}`, word.toUpperCase()]
}

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?$/i

function plainValue(text: string): ScalarValue {
  if (NULLS.has(text)) return { kind: 'null' }
  const flag = FLAGS.get(text)
  if (flag !== undefined) return { kind: 'flag', value: flag }
  const special = SPECIAL.get(text)
  if (special !== undefined) return { kind: 'float', value: special }
  if (!/^[-+.0-9]/.test(text)) return { kind: 'text', value: text }
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '')
  const int = wholeNumber(digits)
  if (int !== undefined) return { kind: 'int', value: int }
  const float = FLOAT.test(digits) ? Number(digits) : Number.NaN
  return Number.isFinite(float) ? { kind: 'float', value: float } : { kind: 'text', value: text }
}

const WHOLE = /^([-+]?)(?:0x([0-9a-f]+)|0b([01]+)|0o?([0-7]+)|(0|[1-9][0-9]*))$/i
const MIN_INT = -(2n ** 63n)
const MAX_UINT = 2n ** 64n - 1n

/** 64 bits: from the least signed one to the greatest unsigned one, which has no sign. */
function wholeNumber(text: string): bigint | undefined {
  const [, sign, hex, binary, octal, decimal] = WHOLE.exec(text) ?? []
  if (sign === undefined) return undefined
  const size = BigInt(hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : (decimal ?? '0'))
  const int = sign === '-' ? -size : size
  const most = sign === '' ? MAX_UINT : 2n ** 63n - 1n
  return int < MIN_INT || int > most ? undefined : int
}
