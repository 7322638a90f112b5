/** What the stage of flags found, in words for people. */
import type { JsonValue } from '@openfeature/core'
import type { OverrideRules } from '../policy.ts'
import type { FlagFindings } from './ask-flags.ts'
import type { Choice } from './choose-upstream.ts'
import type { Flags } from './evaluate.ts'
import type { Resolved } from './resolve.ts'
import type { Told } from './tell-backend.ts'

/** `rules` are those by which callers may choose. */
export function flagWords(
  { choice, told, override }: FlagFindings,
  rules: OverrideRules | undefined,
  flags: Flags,
): string {
  const parts = [choiceWords(choice), ...told.map(toldWords)]
  if (rules && override && 'ignored' in override) parts.push(`${rules.header} moves nothing: it ${override.ignored}`)
  if (rules && override && 'variants' in override) {
    for (const [flag, variant] of override.variants) {
      const unknown = unknownIn(flag, variant, flags)
      if (unknown !== undefined) parts.push(`${rules.header}: ${unknown}`)
    }
  }
  return parts.join('; ')
}

function choiceWords({ upstream, variant, by }: Choice): string {
  if (upstream === undefined) return "none: the route names no upstream: the gateway's own routing applies"
  if (!by) return `${upstream}: default of the route`
  const isDefault = by.off !== undefined || by.reason === 'ERROR'
  const named = variant === undefined ? '' : ` (variant ${variant})`
  return `${upstream}${named}: ${resolvedWords(by)}${isDefault ? '; default of the route' : ''}`
}

function toldWords({ header, value, by }: Told): string {
  const isUnfit = value === undefined && by.off === undefined && by.reason !== 'ERROR'
  return `${header} ${value ?? 'not set'}: ${resolvedWords(by)}${isUnfit ? ', which does not fit into a header' : ''}`
}

const OFF = { switch: 'switched off', file: 'DISABLED' } as const

/** `flag orders-backend: TARGETING_MATCH`. */
function resolvedWords({ flag, value, reason, errorCode, off, by }: Resolved): string {
  if (off) return `flag ${flag}: ${OFF[off]}`
  if (by !== undefined) return `flag ${flag}: ${reason} by ${by}`
  const wrong = errorCode === 'TYPE_MISMATCH' ? `, ${textOf(value)} is no upstream` : ''
  return `flag ${flag}: ${reason}${errorCode === undefined ? '' : ` ${errorCode}`}${wrong}`
}

const MOST_CHARACTERS = 80

function textOf(value: JsonValue): string {
  return (typeof value === 'string' ? `'${value}'` : JSON.stringify(value)).slice(0, MOST_CHARACTERS)
}

function unknownIn(flag: string, variant: string, flags: Flags): string | undefined {
  if (!flags.names.includes(flag)) return `there is no flag '${flag}'`
  return flags.valueOf(flag, variant) === undefined ? `flag ${flag} has no variant '${variant}'` : undefined
}
