/** Asks an introspection endpoint (RFC 7662 §2.1) about a token, as the client that the policy names. */
import type { Introspect } from '../../core/credentials/tokens/opaque-token.ts'
import type { IntrospectionEndpoint } from '../../core/policy.ts'
import { type Ask, createAsk, TimedOut } from './ask.ts'

const BOUNDS = { timeoutMs: 2_000, maxBytes: 64 * 1024 }
const HEADERS = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }

export function createIntrospect(ask: Ask = createAsk()): Introspect {
  return async (endpoint, token) => {
    const { url, allowPrivateAddresses } = endpoint
    const { headers, form } = clientOf(endpoint)
    const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...form }).toString()
    try {
      const { status, text } = await ask({
        url,
        allowPrivateAddresses,
        headers: { ...HEADERS, ...headers },
        body,
        ...BOUNDS,
      })
      if (status === 200) return { text }
      // RFC 7662 §2.2 wants `active: false` for a token that is none; some answer that the question was wrong
      if (status !== 401)
        return { unavailable: `the introspection endpoint answered ${status}`, isCostly: status === 400 }
      return { unavailable: BAD_CLIENT }
    } catch (error) {
      const unavailable = `the introspection endpoint: ${(error as Error).message}`
      return { unavailable, isCostly: error instanceof TimedOut }
    }
  }
}

const BAD_CLIENT = 'the introspection endpoint does not know our client id and secret (401)'

/** RFC 6749 §2.3.1: id and secret are form-urlencoded before they become a user name and a password. */
function clientOf({ clientId, clientSecret, clientAuth }: IntrospectionEndpoint): {
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
} {
  if (clientAuth === 'post') return { form: { client_id: clientId, client_secret: clientSecret } }
  const pair = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)
  return { headers: { authorization: `Basic ${pair.toString('base64')}` } }
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
