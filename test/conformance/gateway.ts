/** What the table needs of a gateway, whichever it is. */
import type { Reached, WitnessedBackends } from './backends.ts'
import { sendHttp2 } from './http2.ts'
import type { PolicyUnderTest } from './policy.ts'
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

export type StartGateway = (underTest: PolicyUnderTest) => Promise<GatewayUnderTest>

/** `send` for a gateway that listens on 127.0.0.1 before witnessed backends. */
export function overHttp(port: number, backends: WitnessedBackends): GatewayUnderTest['send'] {
  return async (request) => {
    const late = backends.take()
    if (late.length > 0) throw new Error('an earlier request reached a backend after it had been answered')
    const answer = await (request.http2 ? sendHttp2 : sendRaw)(port, request)
    return { ...answer, reached: backends.take() }
  }
}
