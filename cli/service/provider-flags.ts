/** Flags that an OpenFeature provider evaluates: bounded in time and number, and never in the way of a request. */
import type { EvaluationDetails, FlagValue, JsonValue } from '@openfeature/core'
import type { Client } from '@openfeature/server-sdk'
import type { EvaluationContext } from '../../core/flags/context.ts'
import { createFlags, type Evaluation, type Flags } from '../../core/flags/evaluate.ts'
import { NOTHING_OFF, type Switches } from '../../core/flags/switches.ts'
import type { Policy } from '../../core/policy.ts'

/** What is asked of the SDK's client. */
export type FlagClient = Pick<Client, `get${'Boolean' | 'String' | 'Number' | 'Object'}Details`>

/** ms that a request waits for a provider. */
const PATIENCE_MS = 50
/** ms after which an evaluation that never came back is no longer counted as under way. */
const GIVEN_UP_MS = 10_000
/** Evaluations under way; while there are more, who comes gets the default at once. */
const MOST_UNDER_WAY = 1000
/** A variant is told in headers and metrics: printable, and no longer than this. */
const VARIANT = /^[\x21-\x7e]{1,128}$/

/** https://openfeature.dev/specification/types#resolution-details; a word that stands there not is UNKNOWN. */
const REASONS: ReadonlySet<string> = new Set(
  'STATIC DEFAULT TARGETING_MATCH SPLIT CACHED DISABLED UNKNOWN STALE ERROR'.split(' '),
)
/** https://openfeature.dev/specification/types#error-code; a word that stands there not is GENERAL. */
const ERROR_CODES: ReadonlySet<string> = new Set(
  'PROVIDER_NOT_READY FLAG_NOT_FOUND PARSE_ERROR TYPE_MISMATCH TARGETING_KEY_MISSING INVALID_CONTEXT PROVIDER_FATAL GENERAL'.split(
    ' ',
  ),
)

/** A provider's flags, under the switches that a policy is decided by. What is under way is counted over all of them. */
export type ProviderFlags = (switches: Switches) => Flags

/** What a provider knows of its flags it does not tell ahead: none is named, each is kept to the tenant, none has a known variant. */
export function createProviderFlags(client: FlagClient): ProviderFlags {
  const evaluate = createEvaluations(client)
  return (switches) => ({
    names: [],
    keyedBy: () => 'tenant',
    offBy: (flag) => (switches.isOff(flag) ? 'switch' : undefined),
    valueOf: () => undefined,
    evaluate(flag, fallback, context) {
      return switches.isOff(flag) ? { value: fallback, reason: 'DISABLED' } : evaluate(flag, fallback, context)
    },
  })
}

/** Each waits no longer than it may, and there are never more than may be. */
function createEvaluations(client: FlagClient): Flags['evaluate'] {
  let underWay = 0

  function begin(): () => void {
    underWay += 1
    let isOver = false
    return () => {
      if (!isOver) underWay -= 1
      isOver = true
    }
  }

  return (flag, fallback, context) => {
    if (underWay >= MOST_UNDER_WAY) return broken(fallback, 'GENERAL')
    const end = begin()
    return new Promise<Evaluation>((resolve) => {
      const late = setTimeout(() => {
        resolve(broken(fallback, 'GENERAL'))
        setTimeout(end, GIVEN_UP_MS).unref()
      }, PATIENCE_MS)
      const settle = (evaluation: Evaluation) => {
        clearTimeout(late)
        end()
        resolve(evaluation)
      }
      ask(client, flag, fallback, context)
        .then((details) => read(details, fallback))
        .then(settle, () => settle(broken(fallback, 'GENERAL')))
    })
  }
}

/** By the type of the fallback. Rejects, and never throws. */
async function ask(
  client: FlagClient,
  flag: string,
  fallback: JsonValue,
  context: EvaluationContext,
): Promise<EvaluationDetails<FlagValue>> {
  // the SDK's type wants lists that may be written to; it copies the context and freezes the copy
  const given = context as Record<string, string | number | boolean | string[]>
  if (typeof fallback === 'string') return client.getStringDetails(flag, fallback, given)
  if (typeof fallback === 'number') return client.getNumberDetails(flag, fallback, given)
  if (typeof fallback === 'boolean') return client.getBooleanDetails(flag, fallback, given)
  return client.getObjectDetails(flag, fallback, given)
}

/** A provider is code of somebody else: what it answers is looked at before it is believed. */
function read({ value, variant, reason, errorCode }: EvaluationDetails<FlagValue>, fallback: JsonValue): Evaluation {
  if (errorCode !== undefined || reason === 'ERROR') return broken(fallback, errorCode ?? 'GENERAL')
  if (typeof value !== typeof fallback) return broken(fallback, 'TYPE_MISMATCH')
  return {
    value,
    reason: reason !== undefined && REASONS.has(reason) ? reason : 'UNKNOWN',
    ...(typeof variant === 'string' && VARIANT.test(variant) && { variant }),
  }
}

function broken(fallback: JsonValue, errorCode: string): Evaluation {
  return { value: fallback, reason: 'ERROR', errorCode: ERROR_CODES.has(errorCode) ? errorCode : 'GENERAL' }
}

/** Whether the flags of the policy are a provider's. */
export function wantsProvider({ flags }: Pick<Policy, 'flags'>): boolean {
  return flags !== undefined && flags.definition === undefined
}

/** Answers as a provider that is not there: everybody gets the default, and is told why. */
const NO_PROVIDER: Flags = {
  names: [],
  keyedBy: () => 'tenant',
  offBy: () => undefined,
  valueOf: () => undefined,
  evaluate: (_, fallback) => broken(fallback, 'PROVIDER_NOT_READY'),
}

/** The flags that a policy is decided by: those of its file, or the provider's. */
export function flagsOf(
  policy: Pick<Policy, 'flags'>,
  provider?: ProviderFlags,
  switches: Switches = NOTHING_OFF,
): Flags {
  if (wantsProvider(policy)) return provider?.(switches) ?? NO_PROVIDER
  return createFlags(policy.flags?.definition, switches)
}
