/** What buckets count by, as people write and read it: `user=u1`, `credential=apiKey:ci`, `claim:team=blue`. */
import { addressBlock } from './bucket-key.ts'
import type { CountedBy } from './limit.ts'

/** How the key of a bucket spells what a caller is: a credential of some kind, or a token's user. */
const OF_CREDENTIAL = /^(?:apiKey|jwt|opaqueToken|clientCertificate):/
const OF_CALLER = /^(?:user|apiKey|jwt|opaqueToken|clientCertificate):/
const HASH = /^sha256:[\w-]{43}$/

/**
 * The value in a bucket's key of what somebody has written. A user alone is a token's user, a credential alone an API key; who is
 * something else is written in full, as `shownValue` does: `clientCertificate:batch`. The hash of a long value stays what it is.
 */
export function countedValueOf(by: CountedBy, text: string): string {
  // nobody's: what has no such value shares a bucket
  if (text === '' || HASH.test(text)) return text
  if (by === 'user') return OF_CALLER.test(text) ? text : `user:${text}`
  if (by === 'credential') return OF_CREDENTIAL.test(text) ? text : `apiKey:${text}`
  if (by === 'ip') return addressBlock(text)
  return by.startsWith('claim:') ? claimValueOf(text) : text
}

/**
 * The value in a bucket's key of a claim that is only known as text: JSON where it is some, so that `5` is the number and `"5"`
 * the text; no text at all is a claim that is not there.
 */
export function claimValueOf(text: string): string {
  if (text === '') return ''
  try {
    const value: unknown = JSON.parse(text)
    // more digits than a number keeps would be the same as others: such ids are texts
    if (typeof value !== 'number' || String(value) === text) return JSON.stringify(value)
  } catch {
    // no JSON, or nested too deeply to be written again
  }
  return JSON.stringify(text)
}

/** A value of a bucket's key in words, from which `countedValueOf` makes it again. */
export function shownValue(by: CountedBy, value: string): string {
  const short = by === 'user' ? value.replace(/^user:/, '') : by.startsWith('claim:') ? textIn(value) : value
  return countedValueOf(by, short) === value ? short : value
}

/** The text that a claim is; of any other JSON, the JSON. */
function textIn(json: string): string {
  const value = jsonIn(json, json)
  return typeof value === 'string' ? value : json
}

function jsonIn(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return otherwise
  }
}
