/** Fetches an issuer's JWKS over HTTP, within bounds: a time, a size, no redirect. */
import type { RemoteKeys } from '../core/credentials/key-set.ts'

const TIMEOUT_MS = 5_000
const MAX_BYTES = 512 * 1024

/** The parsed document. Rejects with a plain message when the issuer does not answer 200 with JSON within the bounds. */
export async function fetchKeys({ url }: RemoteKeys): Promise<unknown> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/jwk-set+json, application/json' },
  })
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    throw new Error(`the issuer answered ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error(`the issuer's key set is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
