/** Where the verbs of `flags` that switch something work. */
import type { RedisPlace } from '../../core/policy.ts'
import { type AdminClient, openAdminClient } from '../admin/admin-client.ts'
import { SERVER_SPECS } from '../admin/server-options.ts'
import type { Io } from '../io.ts'
import type { Options } from '../options.ts'
import { REDIS_SPECS, readPlace } from '../redis-options.ts'

export const SWITCH_PLACE_SPECS = { ...SERVER_SPECS, ...REDIS_SPECS, state: { type: 'string' } } as const

export type SwitchPlace =
  | { readonly kind: 'server'; readonly client: AdminClient }
  | { readonly kind: 'redis'; readonly place: RedisPlace }
  | { readonly kind: 'state'; readonly file: string }

const KINDS = ['server', 'redis', 'state'] as const
const WHERE = 'where? give --server URL, --redis URL or --state FILE'

/** What is given in the environment gives way, there in the order of `KINDS`. A text says what is wrong. */
export function switchPlaceOf(
  given: Options<typeof SWITCH_PLACE_SPECS>,
  argv: readonly string[],
  env: Io['env'],
): SwitchPlace | string {
  const asked = KINDS.filter((name) => argv.some((part) => part === `--${name}` || part.startsWith(`--${name}=`)))
  if (asked.length > 1) return `give ${asked.map((kind) => `--${kind}`).join(' or ')}, not both`
  const kind = asked[0] ?? KINDS.find((name) => given[name] !== undefined)
  const { server = '', state: file = '' } = given
  if (kind === undefined) return WHERE
  if (kind === 'state') return { kind, file }
  if (kind === 'redis') {
    const read = readPlace(given, env)
    if (!read.ok) return read.problem
    return read.place ? { kind, place: read.place } : WHERE
  }
  const opened = openAdminClient(server, given['admin-token-file'], env)
  return opened.ok ? { kind, client: opened.client } : opened.problem
}
