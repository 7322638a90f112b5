/** Fetches an issuer's JWKS (RFC 7517) over HTTP. */
import type { FetchKeys } from '../../core/credentials/tokens/key-set.ts'
import { type Ask, createAsk } from './ask.ts'

const BOUNDS = { timeoutMs: 5_000, maxBytes: 512 * 1024 }
const HEADERS = { accept: 'application/jwk-set+json, application/json' }

/** For so long a request waits: an issuer that hangs must not fill gateways with requests that do. */
const SLOW_AFTER_MS = 500

/** The parsed document; rejects with a message for the log when the issuer does not answer 200 with JSON within the bounds. */
export function createFetchKeys(ask: Ask = createAsk()): FetchKeys {
  return async ({ url, allowPrivateAddresses }, onSlow) => {
    const timer = setTimeout(onSlow, SLOW_AFTER_MS)
    const question = { url, allowPrivateAddresses, headers: HEADERS, ...BOUNDS }
    const { status, text } = await ask(question).finally(() => clearTimeout(timer))
    if (status !== 200) throw new Error(`the issuer answered ${status}`)
    try {
      return JSON.parse(text)
    } catch {
      throw new Error('the issuer answered something that is not JSON')
    }
  }
}
