/** Flags that an OpenFeature provider evaluates: bounded in time and number, and never in the way of a request. */
import type { Given } from '../../core/decide.ts'
import { createFlags, type Evaluation, type Flags } from '../../core/flags/evaluate.ts'
import { NOTHING_OFF, type Switches } from '../../core/flags/switches.ts'
import type { Policy } from '../../core/policy.ts'
import { type AskProvider, broken, createAskProvider, type FlagClient } from './ask-provider.ts'

/** ms that a request waits for a provider. */
const PATIENCE_MS = 50
/** ms after which an evaluation that never came back is no longer counted as under way. */
const GIVEN_UP_MS = 10_000
/** Evaluations under way; while there are more, who comes gets the default at once. */
export const MOST_UNDER_WAY = 1000

/**
 * A provider's flags, under the switches that a policy is decided by, of which `names` are known. What is under way is counted over
 * all of them.
 */
export type ProviderFlags = (switches: Switches, names?: readonly string[]) => Flags

/** What a provider knows of its flags it does not tell ahead: each is kept to the tenant, none has a known variant. */
export function createProviderFlags(client: FlagClient): ProviderFlags {
  const evaluate = createEvaluations(createAskProvider(client))
  return (switches, names = []) => ({
    names,
    keyedBy: () => 'tenant',
    offBy: (flag) => (switches.isOff(flag) ? 'switch' : undefined),
    valueOf: () => undefined,
    evaluate(flag, fallback, context) {
      return switches.isOff(flag) ? { value: fallback, reason: 'DISABLED' } : evaluate(flag, fallback, context)
    },
  })
}

/** Each waits no longer than it may, and there are never more than may be. */
function createEvaluations(ask: AskProvider): Flags['evaluate'] {
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
      ask(flag, fallback, context).then(settle, () => settle(broken(fallback, 'GENERAL')))
    })
  }
}

/** Whether the flags of the policy are a provider's. */
export function wantsProvider({ flags }: Pick<Policy, 'flags'>): boolean {
  return flags !== undefined && flags.definition === undefined
}

/** Answers as a provider that is not there: everybody gets the default, and is told why. */
const noProvider: ProviderFlags = (switches, names = []) => ({
  names,
  keyedBy: () => 'tenant',
  offBy: (flag) => (switches.isOff(flag) ? 'switch' : undefined),
  valueOf: () => undefined,
  evaluate(flag, fallback) {
    return switches.isOff(flag) ? { value: fallback, reason: 'DISABLED' } : broken(fallback, 'PROVIDER_NOT_READY')
  },
})

type Naming = Pick<Policy, 'flags' | 'routes' | 'identity'>

/** The flags that the policy itself names, for its routes first, then for headers to the backend. */
function namedIn({ routes, identity }: Naming): readonly string[] {
  const ofRoutes = routes.routes.flatMap(({ upstream }) => upstream?.flag ?? [])
  const ofHeaders = [...identity.headers.values()].flatMap((source) => (source.kind === 'flag' ? source.name : []))
  return [...new Set([...ofRoutes, ...ofHeaders])]
}

/** How many evaluations of a provider one decision may have under way; 0 where the policy's flags are no provider's. */
export function evaluationsOfOne(policy: Naming): number {
  if (!wantsProvider(policy)) return 0
  const told = [...policy.identity.headers.values()].filter(({ kind }) => kind === 'flag')
  return told.length + 1
}

/** The flags that a policy is decided by: those of its file, or the provider's. */
export function flagsOf(policy: Naming, provider: ProviderFlags = noProvider, switches: Switches = NOTHING_OFF): Flags {
  if (wantsProvider(policy)) return provider(switches, namedIn(policy))
  return createFlags(policy.flags?.definition, switches)
}

/** Of a policy before, under the same switches: what is compiled of its file serves one with the same file. */
export function flagsAgain(policy: Naming, before: Pick<Given, 'policy' | 'flags'> | undefined): Flags | undefined {
  const definition = policy.flags?.definition
  return definition !== undefined && definition === before?.policy.flags?.definition ? before.flags : undefined
}
