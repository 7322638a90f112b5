/** Whether a document has the shape of a policy, and in plain words where it has not. */
import { unknownKey } from './known-keys.ts'
import type { Fault, PolicyPath } from './problem.ts'
import { wordsOf } from './schema/words.ts'
import { type PolicyFile, policySchema } from './schema.ts'
import { fixOf, type Issue, isOldBoolean, messageOf, missing } from './wording.ts'

export type ShapeResult =
  | { readonly ok: true; readonly file: PolicyFile }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Of one map; each costs a search for the nearest known key. */
const MOST_UNKNOWN_KEYS = 50

/** Checks the shape and fills in defaults. At most `most` faults are told. */
export function checkShape(value: unknown, most: number): ShapeResult {
  if (isRatelimitConfig(value)) return { ok: false, faults: [RATELIMIT_CONFIG] }
  const result = policySchema.safeParse(value)
  if (result.success) return { ok: true, file: result.data }
  const faults: Fault[] = []
  for (const issue of result.error.issues) {
    if (faults.length < most) faults.push(...faultsOf(issue, [], value).slice(0, most))
  }
  return { ok: false, faults: faults.slice(0, most) }
}

const RATELIMIT_CONFIG: Fault = {
  path: [],
  message: 'is a ratelimit configuration and no policy: give `--ratelimit-config` the folder that it is in',
}

/** Whether somebody has taken the one kind of file for the other. */
function isRatelimitConfig(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'domain') && Object.hasOwn(value, 'descriptors')
  )
}

function faultsOf(issue: Issue, above: PolicyPath, root: unknown): readonly Fault[] {
  const path = [...above, ...issue.path.filter((step) => typeof step !== 'symbol')]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MOST_UNKNOWN_KEYS).map((key) => unknownKey(path, key))
  const own = wordsOf(issue.message)
  const input = valueAt(root, path)
  if (issue.code === 'invalid_union') {
    const branch = branchMeant(issue.errors, input, own !== undefined)
    if (branch) return branch.flatMap((inner) => faultsOf(inner, path, root))
  }
  if (issue.code === 'invalid_key') {
    const words = issue.issues.map((inner) => wordsOf(inner.message)).find((found) => found !== undefined)
    return [{ path, at: 'key', ...(words ?? { message: 'is not a key that may stand here' }) }]
  }
  if (input === undefined && issue.code !== 'custom') return [missing(path, issue)]
  return [{ path, ...(own ?? { message: messageOf(issue, input), ...fixOf(issue, input) }) }]
}

/** The alternative that somebody had in mind, where it can say more than the union as a whole. */
function branchMeant(
  branches: readonly (readonly Issue[])[],
  input: unknown,
  hasOwnWords: boolean,
): readonly Issue[] | undefined {
  if (isOldBoolean(input))
    return branches.find(([issue]) => issue?.code === 'invalid_type' && issue.expected === 'boolean')
  if (hasOwnWords && (typeof input !== 'object' || input === null)) return undefined
  return branches.find((issues) => !issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'))
}

function valueAt(root: unknown, path: PolicyPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}
