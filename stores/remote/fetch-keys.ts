/** Fetches an issuer's JWKS (RFC 7517) over HTTP. */
import type { FetchKeys } from '../../core/credentials/tokens/key-set.ts'
import { type Ask, createAsk } from './ask.ts'

const BOUNDS = { timeoutMs: 5_000, maxBytes: 512 * 1024 }
const HEADERS = { accept: 'application/jwk-set+json, application/json' }

/** The parsed document; rejects with a message for the log when the issuer does not answer 200 with JSON within the bounds. */
export function createFetchKeys(ask: Ask = createAsk()): FetchKeys {
  return async ({ url, allowPrivateAddresses }) => {
    const { status, text } = await ask({ url, allowPrivateAddresses, headers: HEADERS, ...BOUNDS })
    if (status !== 200) throw new Error(`the issuer answered ${status}`)
    try {
      return JSON.parse(text)
    } catch {
      throw new Error('the issuer answered something that is not JSON')
    }
  }
}
