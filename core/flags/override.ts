/** Variants that a caller has chosen himself, by a header, where the policy lets him. */
import { NAMED_BY_POLICY } from '../credentials/principal.ts'
import type { OverrideRules } from '../policy.ts'
import { headerOf } from '../request.ts'
import type { Subject } from './context.ts'

/** What the header says that may be followed; a flag or variant that nobody knows is sorted out where it is asked for. */
export interface Override {
  /** By the flag. */
  readonly variants: ReadonlyMap<string, string>
  /** By what right, such as `role tester`. */
  readonly by: string
}

/** Sent, and followed in nothing; the text says why. */
export interface Ignored {
  readonly ignored: string
}

const MOST_BYTES = 1024
const MOST_ENTRIES = 20

/** Undefined where the header was not sent. Of a header that is not as it should be, nothing is followed. */
export function overrideOf(subject: Subject, rules: OverrideRules): Override | Ignored | undefined {
  const text = headerOf(subject.request, rules.header)
  if (text === undefined) return undefined
  // who may comes first: others learn nothing of how it is read
  const by = rightOf(subject, rules)
  if (by === undefined) return { ignored: 'is not for this caller' }
  const variants = readEntries(text)
  return typeof variants === 'string' ? { ignored: variants } : { variants, by }
}

/** A credential's name counts where the policy has given it; what a token calls itself is anybody's choice. */
function rightOf({ tenant, principal }: Subject, { anyRole, credentials }: OverrideRules): string | undefined {
  if (!tenant || !principal) return undefined
  const role = anyRole.find((name) => principal.roles.includes(name))
  if (role !== undefined) return `role ${role}`
  const credential = `${tenant.id}/${principal.credential}`
  return NAMED_BY_POLICY.has(principal.kind) && credentials.has(credential) ? `credential ${credential}` : undefined
}

const ENTRY = /^[ \t]*([\x21-\x2b\x2d-\x3c\x3e-\x7e]+)=([\x21-\x2b\x2d-\x7e]+)[ \t]*$/

/** `flag=variant, flag=variant`; why not, where it is anything else. Headers that came twice are one list (RFC 9110 §5.3). */
function readEntries(text: string): ReadonlyMap<string, string> | string {
  if (text.length > MOST_BYTES) return `is longer than ${MOST_BYTES} bytes`
  const entries = text.split(',')
  if (entries.length > MOST_ENTRIES) return `has more than ${MOST_ENTRIES} entries`
  const variants = new Map<string, string>()
  for (const entry of entries) {
    const [, flag, variant] = ENTRY.exec(entry) ?? []
    if (flag === undefined || variant === undefined) return 'is not `flag=variant, flag=variant`'
    if (variants.has(flag)) return `names flag ${flag} twice`
    variants.set(flag, variant)
  }
  return variants
}
