/** Where the verbs of `keys` and `tokens` work: in a policy file, at a running service, or in a Redis. */
import type { RedisPlace } from '../../core/policy.ts'
import { REDIS_SCHEME } from '../../policy/redis-address.ts'
import { PLACE_SPECS, type Place, placeOf } from '../admin/server-options.ts'
import { AUDIT_SPECS } from '../command-audit.ts'
import type { Io } from '../io.ts'
import type { Options } from '../options.ts'
import { REDIS_SPECS, readPlace } from '../redis-options.ts'

export const KEY_PLACE_SPECS = { ...PLACE_SPECS, ...REDIS_SPECS, ...AUDIT_SPECS } as const

export type KeyPlace = Place | { readonly kind: 'redis'; readonly place: RedisPlace }

const KINDS = ['server', 'redis', 'policy'] as const

export const WHERE = 'give --policy FILE, --server URL or --redis URL'

type Given = Options<Omit<typeof KEY_PLACE_SPECS, 'json' | 'audit'>>

/**
 * What is given in the environment gives way, there in the order of `KINDS`; undefined where none of them is given. A policy may
 * be one in a Redis. A text says what is wrong.
 */
export function keyPlaceOf(given: Given, argv: readonly string[], env: Io['env']): KeyPlace | string | undefined {
  const isAsked = (name: string) => argv.some((part) => part === `--${name}` || part.startsWith(`--${name}=`))
  const asked = KINDS.filter(isAsked)
  if (asked.length > 1) return `give ${asked.map((kind) => `--${kind}`).join(' or ')}, not both`
  const kind = asked[0] ?? KINDS.find((name) => given[name] !== undefined)
  if (kind === undefined) return undefined
  if (kind === 'redis') return inRedisAt(given, env, '--redis')
  const { policy } = given
  if (kind === 'policy' && policy !== undefined && REDIS_SCHEME.test(policy)) {
    return inRedisAt({ ...given, redis: policy }, env, '--policy')
  }
  return placeOf(given, argv, env)
}

function inRedisAt(given: Given, env: Io['env'], named: string): KeyPlace | string | undefined {
  const read = readPlace(given, env, named)
  if (!read.ok) return read.problem
  return read.place && { kind: 'redis', place: read.place }
}
