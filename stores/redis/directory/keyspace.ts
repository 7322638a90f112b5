/**
 * What stands below `P:{directory}:`. Each import writes a generation of its own beside the live one; its keys are a closed
 * list, so that all of them can be removed at once.
 *
 *   head                     hash    `Head`; and `allotted` and `importing`: the newest number, and the one that is being written
 *   generations              zset    number → 0 while it is written or live, else when it was replaced (ms, the clock of Redis)
 *   changes                  stream  `Change`, the newest 10,000
 *   records                  list    lines of a state file: revocations and replacements
 *   issued                   hash    SHA-256 of a key → line of a state file
 *   issued-of                zset    `tenant:hash`, all with score 0: a range by text is one tenant's
 *   g<N>:policy              string  `Bundle`
 *   g<N>:tenants             hash    id → `StoredTenant`
 *   g<N>:keys                hash    SHA-256 of a key → `ApiKey`
 *   g<N>:keys-of             zset    as `issued-of`
 *   g<N>:names, g<N>:hosts   hash    alias, or custom domain → id of its tenant
 *   g<N>:certificates        hash    id → list of `CertificateEntry`, where a tenant has some
 *   g<N>:certificate-names   hash    what a certificate is told by → id: no two tenants have the same
 */
import { directoryKey } from '../keys.ts'

export const GENERATION_PARTS = [
  'policy',
  'tenants',
  'keys',
  'keys-of',
  'names',
  'hosts',
  'certificates',
  'certificate-names',
] as const

export type GenerationPart = (typeof GENERATION_PARTS)[number]

export const generationKey = (prefix: string, generation: number, part: GenerationPart): string =>
  directoryKey(prefix, `g${generation}:${part}`)

/** All keys of a generation, in the order of `GENERATION_PARTS`. */
export const generationKeys = (prefix: string, generation: number): readonly string[] =>
  GENERATION_PARTS.map((part) => generationKey(prefix, generation, part))

type OfAll = 'head' | 'generations' | 'changes' | 'records' | 'issued' | 'issued-of'

export const commonKey = (prefix: string, name: OfAll): string => directoryKey(prefix, name)

/** A member of `keys-of` or `issued-of`. */
export const memberOf = (tenant: string, hash: string): string => `${tenant}:${hash}`

/** The range of ZRANGEBYLEX that holds the members of one tenant: no id has a colon in it. */
export const rangeOf = (tenant: string): readonly [from: string, to: string] => [`[${tenant}:`, `(${tenant};`]

/** The hash of a member. */
export const hashOf = (member: string): string => member.slice(member.indexOf(':') + 1)
