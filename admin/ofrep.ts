/**
 * OpenFeature's Remote Evaluation Protocol: programs on this machine ask for flags with a context of their own.
 * https://openfeature.dev/specification/appendix-c
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import type { KeyedBy } from '../core/flags/context.ts'
import type { Flags } from '../core/flags/evaluate.ts'
import type { Tenant } from '../core/policy.ts'
import { type Answer, done } from './answer.ts'
import { readBody } from './body.ts'
import { isProvided } from './flags.ts'
import { AT_A_TIME, createSlices, inTurn } from './in-turn.ts'
import { contextFor, type Given, readContext, tenantIn } from './ofrep-context.ts'
import type { ServerParts } from './parts.ts'
import { StoreAway } from './store-away.ts'

/** Of the codes of OpenFeature those that the protocol has. */
type ErrorCode = 'PARSE_ERROR' | 'INVALID_CONTEXT' | 'TARGETING_KEY_MISSING' | 'FLAG_NOT_FOUND' | 'GENERAL'

interface Failure {
  readonly errorCode: ErrorCode
  readonly errorDetails: string
}

type OfrepParts = Pick<ServerParts, 'policy' | 'flags' | 'now'>

/** What is known of whoever the flags are asked for. */
interface Asked {
  readonly given: Given
  readonly tenant: Tenant | undefined
}

const evaluationRequest = z.object({ context: z.unknown().optional() })

/** One flag. A body that cannot be read, in size or type, is a problem as everywhere here. */
export async function evaluateOne(key: string, request: IncomingMessage, parts: OfrepParts): Promise<Answer> {
  const asked = await readAsked(request, parts)
  if ('ok' in asked) return asked
  if ('errorCode' in asked) return failed(asked, { key })
  const flags = parts.flags()
  const isKnown = flags.names.includes(key) || isProvided(parts.policy().flags)
  const found = isKnown ? await evaluated(key, asked, flags, parts.now()) : notFound(key)
  return 'errorCode' in found ? failed(found, { key }) : done(200, { key, ...found })
}

/** All flags that are known by name; with `If-None-Match` they are told only where something is another than the last time. */
export async function evaluateAll(
  request: IncomingMessage,
  parts: OfrepParts & Pick<ServerParts, 'inPlace'>,
): Promise<Answer> {
  const asked = await readAsked(request, parts)
  if ('ok' in asked) return asked
  if ('errorCode' in asked) return failed(asked, {})
  return parts.inPlace(() => allEvaluated(asked, request, parts))
}

async function allEvaluated(asked: Asked, request: IncomingMessage, parts: OfrepParts): Promise<Answer> {
  const [flags, now] = [parts.flags(), parts.now()]
  const tell = async (key: string) => ({ key, ...(await evaluated(key, asked, flags, now)) })
  const atATime = isProvided(parts.policy().flags) ? AT_A_TIME : 1
  const body = { flags: await inTurn(flags.names, tell, createSlices(parts.now), atATime) }
  // of the answer itself: rules, switches, rollouts and the clock may all change it, and nothing else matters
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"`
  const isKnown = isAmong(etag, request.headers['if-none-match'])
  return done(isKnown ? 304 : 200, isKnown ? {} : body, { etag })
}

/** RFC 9110 §13.1.2: by weak comparison. */
function isAmong(etag: string, header: string | undefined): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}

async function readAsked(request: IncomingMessage, parts: OfrepParts): Promise<Asked | Failure | Answer> {
  const read = await readBody(request, evaluationRequest)
  if (!read.ok) return read.code === 'malformed' ? { errorCode: 'PARSE_ERROR', errorDetails: read.detail } : read
  const given = readContext(read.value.context)
  if (typeof given === 'string') return { errorCode: 'INVALID_CONTEXT', errorDetails: given }
  try {
    return { given, tenant: await tenantIn(given, parts) }
  } catch (away) {
    if (!(away instanceof StoreAway)) throw away
    return { errorCode: 'GENERAL', errorDetails: 'What is known of the tenant cannot be read now.' }
  }
}

function failed(failure: Failure, key: { readonly key?: string }): Answer {
  const status = failure.errorCode === 'FLAG_NOT_FOUND' ? 404 : isOurs(failure) ? 500 : 400
  return done(status, { ...key, ...failure })
}

const isOurs = ({ errorCode }: Failure) => errorCode === 'GENERAL'

const TARGETING_KEY_MISSING: Readonly<Record<KeyedBy, Failure>> = {
  tenant: {
    errorCode: 'TARGETING_KEY_MISSING',
    errorDetails: 'The context names neither a targetingKey nor a tenant, which this flag is sticky for.',
  },
  user: {
    errorCode: 'TARGETING_KEY_MISSING',
    errorDetails:
      'The context names no targetingKey, no user, which this flag is sticky for, and no tenant to take in its place.',
  },
}

/** Without a value the caller keeps its own: so it is with a flag that is off, or that comes to no variant. */
async function evaluated(key: string, { given, tenant }: Asked, flags: Flags, now: number) {
  const keyedBy = flags.keyedBy(key)
  const context = contextFor(given, tenant, keyedBy, now)
  if (!context) return TARGETING_KEY_MISSING[keyedBy]
  const { value, variant, reason, errorCode } = await flags.evaluate(key, null, context)
  if (reason === 'ERROR') return errorCode === 'FLAG_NOT_FOUND' ? notFound(key) : broken(errorCode)
  return { reason, ...(variant !== undefined && { variant }), ...(value !== null && { value }) }
}

function notFound(key: string): Failure {
  return { errorCode: 'FLAG_NOT_FOUND', errorDetails: `Neither the live policy nor its provider has a flag '${key}'.` }
}

function broken(errorCode: string | undefined): Failure {
  const known = errorCode === 'PARSE_ERROR' || errorCode === 'TARGETING_KEY_MISSING' ? errorCode : 'GENERAL'
  const isReady = errorCode !== 'PROVIDER_NOT_READY'
  return {
    errorCode: known,
    errorDetails: isReady ? 'The rules of the flag come to nothing.' : 'No provider is ready.',
  }
}
