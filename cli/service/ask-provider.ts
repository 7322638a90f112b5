/** One evaluation by an OpenFeature provider: asked by the type that is wanted, and its answer looked at before it is believed. */
import type { EvaluationDetails, FlagValue, JsonValue } from '@openfeature/core'
import type { Client } from '@openfeature/server-sdk'
import type { EvaluationContext } from '../../core/flags/context.ts'
import type { Evaluation } from '../../core/flags/evaluate.ts'
import { VARIANT_NAME } from '../../core/names.ts'

/** What is asked of the SDK's client. */
export type FlagClient = Pick<Client, `get${'Boolean' | 'String' | 'Number' | 'Object'}Details`>

/** Rejects, and never throws, where a client or an answer is none. With `null` as its fallback a flag may be of any type. */
export type AskProvider = (flag: string, fallback: JsonValue, context: EvaluationContext) => Promise<Evaluation>

/** https://openfeature.dev/specification/types#resolution-details; a word that does not stand there is UNKNOWN. */
const REASONS = wordsOf('STATIC DEFAULT TARGETING_MATCH SPLIT CACHED DISABLED UNKNOWN STALE ERROR')
/** https://openfeature.dev/specification/types#error-code; a word that does not stand there is GENERAL. */
const ERROR_CODES = wordsOf(
  'PROVIDER_NOT_READY FLAG_NOT_FOUND PARSE_ERROR TYPE_MISMATCH TARGETING_KEY_MISSING INVALID_CONTEXT PROVIDER_FATAL GENERAL',
)
/** No flag's value: a provider that answers the fallback, as one does for a flag that is disabled, is told by it. */
const NONE = 'tenantgate:none'
/** A fallback of each type. */
const TYPES: readonly JsonValue[] = [NONE, false, 0, {}]
/** Flags of which the type is remembered. */
const MOST_REMEMBERED = 1000

export function createAskProvider(client: FlagClient): AskProvider {
  const types = new Map<string, JsonValue>()

  /** OpenFeature knows no question without a type: each is tried, that of the last time first. */
  async function askAnyType(flag: string, context: EvaluationContext): Promise<Evaluation> {
    const known = types.get(flag)
    for (const type of known === undefined ? TYPES : [known, ...TYPES.filter((other) => other !== known)]) {
      const found = await ask(client, flag, type, context)
      if (found.errorCode === 'TYPE_MISMATCH') continue
      if (types.size < MOST_REMEMBERED) types.set(flag, type)
      const { value, reason } = found
      return value === NONE || reason === 'DISABLED' || reason === 'ERROR' ? { ...found, value: null } : found
    }
    return broken(null, 'TYPE_MISMATCH')
  }

  return async (flag, fallback, context) =>
    fallback === null ? askAnyType(flag, context) : ask(client, flag, fallback, context)
}

async function ask(
  client: FlagClient,
  flag: string,
  fallback: JsonValue,
  context: EvaluationContext,
): Promise<Evaluation> {
  // the SDK's type wants lists that may be written to; it copies the context and freezes the copy
  const given = context as Record<string, string | number | boolean | string[]>
  if (typeof fallback === 'string') return read(await client.getStringDetails(flag, fallback, given), fallback)
  if (typeof fallback === 'number') return read(await client.getNumberDetails(flag, fallback, given), fallback)
  if (typeof fallback === 'boolean') return read(await client.getBooleanDetails(flag, fallback, given), fallback)
  return read(await client.getObjectDetails(flag, fallback, given), fallback)
}

/** A provider is code of somebody else. Throws for an answer that is no value of JSON. */
function read({ value, variant, reason, errorCode }: EvaluationDetails<FlagValue>, fallback: JsonValue): Evaluation {
  if (errorCode !== undefined || reason === 'ERROR') return broken(fallback, errorCode ?? 'GENERAL')
  if (typeof value !== typeof fallback) return broken(fallback, 'TYPE_MISMATCH')
  return {
    // what cannot be written as JSON could be told to nobody
    value: typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value,
    reason: reason !== undefined && REASONS.has(reason) ? reason : 'UNKNOWN',
    ...(typeof variant === 'string' && VARIANT_NAME.test(variant) && { variant }),
  }
}

/** What everybody gets who could not be answered. */
export function broken(fallback: JsonValue, errorCode: string): Evaluation {
  return { value: fallback, reason: 'ERROR', errorCode: ERROR_CODES.has(errorCode) ? errorCode : 'GENERAL' }
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(' '))
}
