/** What commands share that ask a running service: where it is, and how its answer is told. */
import { EXIT, type Io } from '../io.ts'
import { type AdminClient, openAdminClient } from './admin-client.ts'

export const SERVER_SPECS = {
  server: { type: 'string' },
  'admin-token-file': { type: 'string' },
  json: { type: 'boolean' },
} as const

export const PLACE_SPECS = { ...SERVER_SPECS, policy: { type: 'string' } } as const

interface GivenPlace {
  readonly server?: string
  readonly policy?: string
  readonly 'admin-token-file'?: string
}

export type Place =
  | { readonly kind: 'server'; readonly client: AdminClient }
  | { readonly kind: 'policy'; readonly file: string }

/** In a policy file or at a running service: what is given in the environment gives way. A text says what is wrong. */
export function placeOf(given: GivenPlace, argv: readonly string[], env: Io['env']): Place | string {
  const asked = (name: string) => argv.some((part) => part === `--${name}` || part.startsWith(`--${name}=`))
  if (asked('server') && asked('policy')) return 'give --policy FILE or --server URL, not both'
  if (given.server === undefined || asked('policy')) {
    return given.policy === undefined ? 'give --policy FILE or --server URL' : { kind: 'policy', file: given.policy }
  }
  const opened = openAdminClient(given.server, given['admin-token-file'], env)
  return opened.ok ? { kind: 'server', client: opened.client } : opened.problem
}

export function say(io: Io, text: string): number {
  io.stdout.write(text)
  return EXIT.ok
}

export function sayJson(io: Io, value: object): number {
  return say(io, `${JSON.stringify(value)}\n`)
}
