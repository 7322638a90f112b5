/** The file of feature flags, checked as far as flagd's evaluator can check it. */
import type { Logger } from '@openfeature/core'
import { FlagdCore } from '@openfeature/flagd-core'
import type { FlagRules } from '../../core/policy.ts'
import { isRecord, type Outside, parseJson } from '../outside.ts'
import type { Fault } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { instantMs } from '../units.ts'

/** What each flag's variants are. */
export type VariantsByFlag = ReadonlyMap<string, Readonly<Record<string, unknown>>>

export interface ResolvedFlags {
  readonly rules: FlagRules | undefined
  /** Undefined where there is no file, or one with faults. */
  readonly variants: VariantsByFlag | undefined
  readonly faults: readonly Fault[]
}

const NO_FLAGS: ResolvedFlags = { rules: undefined, variants: undefined, faults: [] }

/** The file that the policy names. */
export function fileOf({ flags }: PolicyFile): string | undefined {
  return typeof flags === 'string' ? flags : flags?.file
}

export function resolveFlags(policy: PolicyFile, { read }: Outside): ResolvedFlags {
  if (policy.flags === undefined) return NO_FLAGS
  const file = fileOf(policy)
  if (file === undefined) return { ...NO_FLAGS, rules: rulesOf(policy, undefined) }
  const path = typeof policy.flags === 'string' ? ['flags'] : ['flags', 'file']
  const refuse = (message: string): ResolvedFlags => ({ ...NO_FLAGS, faults: [{ path, message }] })
  const content = read(file)
  if ('failure' in content) return refuse(`the flag file ${content.failure}`)
  const document = parseJson(content.text)
  const flags = isRecord(document) ? document.flags : undefined
  if (!isRecord(flags)) return refuse("the flag file is not JSON with a `flags` object (flagd's format)")
  const fault = flagFault(content.text, flags)
  if (fault !== undefined) return refuse(`the flag file ${fault}`)
  const variants = Object.entries(flags).map(([name, flag]) => [name, variantsOf(flag)] as const)
  return { rules: rulesOf(policy, content.text), variants: new Map(variants), faults: [] }
}

function rulesOf({ flags }: PolicyFile, definition: string | undefined): FlagRules {
  if (typeof flags !== 'object') return { definition, headers: [], override: undefined, rollouts: new Map() }
  const { headers, override, rollouts } = flags
  return {
    definition,
    headers: headers.map((name) => name.toLowerCase()),
    override: override && {
      header: override.header.toLowerCase(),
      anyRole: override.anyRole,
      credentials: new Set(override.credentials),
    },
    rollouts: new Map(Object.entries(rollouts).map(([flag, rollout]) => [flag, rolloutOf(rollout)])),
  }
}

function rolloutOf({ variant, steps }: { variant: string; steps: readonly { from: string; percent: number }[] }) {
  return { variant, steps: steps.map(({ from, percent }) => ({ from: instantMs(from) ?? 0, percent })) }
}

/**
 * What flagd's evaluator has against the file. It throws for a wrong state or default variant, but only warns of a
 * targeting rule that it cannot compile, and answers such a flag with an error each time.
 */
function flagFault(text: string, flags: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, flag] of Object.entries(flags)) {
    if (!isRecord(flag) || !isRecord(flag.variants)) return `has a flag without variants: \`${name}\``
    const { state, defaultVariant, variants } = flag
    if (state !== 'ENABLED' && state !== 'DISABLED')
      return `has a flag whose state is not ENABLED or DISABLED: \`${name}\``
    const isKnown = typeof defaultVariant === 'string' && isRecord(variants) && Object.hasOwn(variants, defaultVariant)
    if (defaultVariant !== undefined && defaultVariant !== null && !isKnown) {
      return `has a flag whose default variant does not exist: \`${name}\``
    }
  }
  const warnings: string[] = []
  try {
    new FlagdCore(undefined, collecting(warnings)).setConfigurations(text)
  } catch {
    return 'is not accepted by flagd'
  }
  const broken = warnings.map((warning) => /flag '(.*)'$/.exec(warning)?.[1]).find((name) => name !== undefined)
  if (broken !== undefined) return `has a targeting rule that does not compile: \`${broken}\``
  return warnings.length > 0 ? 'is not accepted by flagd' : undefined
}

function collecting(warnings: string[]): Logger {
  const collect = (message: unknown) => void warnings.push(String(message))
  return { error: collect, warn: collect, info() {}, debug() {} }
}

function variantsOf(flag: unknown): Readonly<Record<string, unknown>> {
  const variants = isRecord(flag) ? flag.variants : undefined
  return isRecord(variants) ? variants : {}
}
