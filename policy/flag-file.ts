/** The file of feature flags, checked as far as flagd's evaluator can check it. */
import type { Logger } from '@openfeature/core'
import { FlagdCore } from '@openfeature/flagd-core'
import { isRecord, type Outside, parseJson, type Resolved } from './outside.ts'

/** A flag file that flagd's evaluator accepts, and what each flag's variants are. */
export interface FlagFile {
  readonly text: string
  readonly variants: ReadonlyMap<string, Readonly<Record<string, unknown>>>
}

export function resolveFlags(file: string, { read }: Outside): Resolved<FlagFile> {
  const path = ['flags']
  const content = read(file)
  if ('failure' in content) return { fault: { path, message: `the flag file ${content.failure}` } }
  const document = parseJson(content.text)
  const flags = isRecord(document) ? document.flags : undefined
  if (!isRecord(flags))
    return { fault: { path, message: "the flag file is not JSON with a `flags` object (flagd's format)" } }
  const fault = flagFault(content.text, flags)
  if (fault !== undefined) return { fault: { path, message: `the flag file ${fault}` } }
  const variants = Object.entries(flags).map(([name, flag]) => [name, variantsOf(flag)] as const)
  return { value: { text: content.text, variants: new Map(variants) } }
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
