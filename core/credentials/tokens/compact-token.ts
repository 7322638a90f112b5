/** A JWS in compact serialization, read and not verified: what it says of itself is a claim of whoever made it. */
import { parseStrictObject } from './strict-json.ts'

/** A longer token is refused unread. */
export const MAX_TOKEN_LENGTH = 8192

/** RFC 7515 §7.1: three base64url parts. Five parts would be encrypted (JWE), which we do not read. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

export interface CompactToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** The token, or what is wrong with it, in words that repeat nothing of it. */
export function readCompactToken(token: string): CompactToken | string {
  if (!COMPACT.test(token)) return 'not in compact serialization'
  const [header, claims, signature] = token.split('.', 3)
  if (header === undefined || claims === undefined || signature === undefined) return 'not in compact serialization'
  if (!isCanonical(signature)) return 'its signature has another spelling'
  const read = { header: parsePart(header), claims: parsePart(claims) }
  if (!read.header || !read.claims) return 'header or payload is no JSON object, says something twice, or is too deep'
  return { header: read.header, claims: read.claims }
}

/** Bits that base64url leaves unused would give one token many spellings, and so pass a list of revoked ones. */
function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function parsePart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseStrictObject(UTF8.decode(Buffer.from(part, 'base64url')))
  } catch {
    return undefined
  }
}
