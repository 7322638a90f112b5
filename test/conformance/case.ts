/** What a conformance case is: a request, and what must come of it, in words that belong to no gateway. */
import type { DenyReason } from '../../core/decision.ts'
import type { CredentialName } from './credentials.ts'

/** A request as a client writes it, byte for byte: `\xNN` in a text is that byte. */
export interface Request {
  /** Default GET. */
  readonly method?: string
  /** The Host header, `null` for none; by default one that names no tenant. */
  readonly host?: string | null
  /** The request target, sent as it stands here. */
  readonly path: string
  /** A credential shown in the usual way: a key in X-Api-Key, a token in Authorization. */
  readonly as?: CredentialName
  /** Header lines, in this spelling and order; `<acme key>` anywhere in a request stands for that credential. */
  readonly headers?: readonly string[]
  /** What follows the headers; it brings its own framing. */
  readonly body?: string
  /** Sent over HTTP/2, for gateways that speak it. Default: over HTTP/1.1. */
  readonly http2?: boolean
  /** What follows the body over HTTP/2. */
  readonly trailers?: Readonly<Record<string, string>>
  /** The client's address, one of 127.0.0.0/8. Default 127.0.0.1. */
  readonly from?: string
}

/** A header: its whole value, a pattern for it, or `null` when it must not be there. */
export type Wanted = string | RegExp | null

/** What must have reached a backend, exactly once. */
export interface AtBackend {
  readonly upstream: string
  /** The request target, when the case is about it. */
  readonly path?: string
  /** All that the backend is told of the caller: every x-tenant-* and x-user-* header, and no other. */
  readonly trusted?: Readonly<Record<string, string>>
  /** Other headers; absent means absent in every spelling that folds to the name. */
  readonly headers?: Readonly<Record<string, Wanted>>
}

export interface Expected {
  /** A list where a gateway may have the first word, and its own number for it. */
  readonly status: number | readonly number[]
  /** The `code` of a refusal of ours: problem+json with all that belongs to it (see `check.ts`). */
  readonly code?: DenyReason | undefined
  /** Of the answer. */
  readonly headers?: Readonly<Record<string, Wanted>>
  /** Members of the JSON body. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly backend: AtBackend | 'not reached'
  /** By these a gateway may refuse what it need not understand: then no backend is reached, whatever else is expected. */
  readonly orRefused?: readonly number[]
}

/** One request, or the same one several times with the same result each time. */
export interface Step {
  readonly request: Request
  readonly expect: Expected
  /** Default 1. */
  readonly times?: number
  /** Where a gateway cannot do otherwise, by its name: what it does instead, and why. */
  readonly differs?: Readonly<Record<string, { readonly because: string; readonly expect: Partial<Expected> }>>
}

interface Named {
  /** What is guaranteed, as a sentence. */
  readonly name: string
  /** The requirement or ruling that it shows: `A1`, `ruling 3`. */
  readonly shows: string
  /** Why the gateway itself answers and not tenantgate, where that is so on purpose. */
  readonly answeredByGateway?: string
}

/** A case of several steps begins with fresh limits; one of a single step must not depend on any. */
export type Case = Named & (Step | { readonly steps: readonly Step[] })

export interface Topic {
  readonly title: string
  readonly cases: readonly Case[]
}

/** A refusal of ours, which no backend hears of. */
export function refused(status: number, code: DenyReason, more: Partial<Expected> = {}): Expected {
  return { status, code, backend: 'not reached', ...more }
}

/** An answer of a backend, which was told this of the caller. */
export function reaches(upstream: string, trusted: Readonly<Record<string, string>>, more: Partial<AtBackend> = {}) {
  return { status: 200, backend: { upstream, trusted, ...more } } satisfies Expected
}

/** Two lines of `Authorization`. */
export const AUTHORIZATION_TWICE = {
  kong: {
    because: 'nginx refuses it before it runs any plugin, as it does two lines of Host',
    expect: { code: undefined },
  },
} as const satisfies Step['differs']
