/** What the table needs of a gateway, whichever it is. */
import type { Policy } from '../../core/policy.ts'
import type { Reached, WitnessedBackends } from './backends.ts'
import type { GivenParts } from './gate-at-noon.ts'
import { sendHttp2 } from './http2.ts'
import { type RawAnswer, type SentRequest, sendRaw } from './raw-http.ts'

export interface Answer extends RawAnswer {
  /** Every request that reached a backend because of this one; a retry would be a second. */
  readonly reached: readonly Reached[]
}

/** A gateway with tenantgate behind it, deciding by the policy under test at the moment `NOON` of `credentials.ts`. */
export interface GatewayUnderTest {
  /** As `differs` of a case names it. */
  readonly name: string
  send(request: SentRequest): Promise<Answer>
  /** Forgets what the limits have counted. */
  reset(): void | Promise<void>
  stop(): Promise<void>
}

/** What a table is decided by, and the credentials of its requests by the names that they have there. */
export interface UnderTest {
  readonly policy: Policy
  readonly credentials: Readonly<Record<string, string>>
  readonly parts?: GivenParts
}

export type StartGateway<T extends UnderTest = UnderTest> = (underTest: T) => Promise<GatewayUnderTest>

/** `send` for a gateway that listens on 127.0.0.1 before witnessed backends. */
export function overHttp(port: number, backends: WitnessedBackends): GatewayUnderTest['send'] {
  return async (request) => {
    const late = backends.take()
    if (late.length > 0) throw new Error('an earlier request reached a backend after it had been answered')
    const answer = await (request.http2 ? sendHttp2 : sendRaw)(port, request)
    return { ...answer, reached: backends.take() }
  }
}
