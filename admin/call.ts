/** Which call it is, and whose: what answers, logs and audits name it by. */
import type { IncomingMessage } from 'node:http'
import { holdsSecret } from '../core/mask-secrets.ts'

export interface Call {
  readonly requestId: string
  /** As the holder of the token claims; undefined where nothing is said that can be written down. */
  readonly actor: string | undefined
  readonly address: string
}

const ID = /^[\x21-\x7e]{1,128}$/
const ACTOR = /^[\x20-\x7e]{1,64}$/

/** The client's own `x-request-id` where it is short and printable, else a random one; `x-actor` likewise, or none. */
export function callOf(
  { headersDistinct, socket }: IncomingMessage,
  randomBytes: (length: number) => Uint8Array,
): Call {
  return {
    requestId: usable(headersDistinct['x-request-id'], ID) ?? Buffer.from(randomBytes(16)).toString('hex'),
    actor: usable(headersDistinct['x-actor'], ACTOR),
    address: socket.remoteAddress ?? 'unix',
  }
}

function usable(given: readonly string[] | undefined, shape: RegExp): string | undefined {
  const [text = '', ...more] = given ?? []
  return more.length === 0 && shape.test(text) && !holdsSecret(text) ? text : undefined
}
