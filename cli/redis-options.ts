/** The options by which a command is told of a Redis: where it is, who asks, and how TLS is spoken with it. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RedisPlace } from '../core/policy.ts'
import { readRedisAddress } from '../policy/redis-address.ts'
import type { Io } from './io.ts'
import type { Options } from './options.ts'

export const REDIS_SPECS = {
  redis: { type: 'string' },
  'redis-password-file': { type: 'string' },
  'redis-ca': { type: 'string' },
  'redis-certificate': { type: 'string' },
  'redis-key': { type: 'string' },
} as const

export type ReadPlace =
  /** Undefined where no Redis is named. */
  | { readonly ok: true; readonly place: RedisPlace | undefined }
  /** In words, with the option; never with a password. */
  | { readonly ok: false; readonly problem: string }

type Given = Options<typeof REDIS_SPECS>
type Tls = NonNullable<RedisPlace['tls']>

const TLS_OPTIONS = [
  ['redis-ca', 'ca'],
  ['redis-certificate', 'certificate'],
  ['redis-key', 'key'],
] as const
/** Where the policy names the Redis, it says the rest of it too. */
const IN_A_FILE = {
  'redis-password-file': '; a policy file has `state.password: { file: FILE }`',
  'redis-ca': '; a policy file has `state.ca`',
  'redis-certificate': '; a policy file has `state.certificate`',
  'redis-key': '; a policy file has `state.key: { file: FILE }`',
} as const

const OTHERS = ['redis-password-file', ...TLS_OPTIONS.map(([option]) => option)] as const

/**
 * The Redis that is named by `--redis`, or by another option whose address is put in its place and which `named` then names.
 * Its password stands in the address, in `--redis-password-file` or in TENANTGATE_REDIS_PASSWORD; that of the sentinels in
 * TENANTGATE_REDIS_SENTINEL_PASSWORD. Of what is given twice the option or address wins over the environment.
 */
export function readPlace(given: Given, env: Io['env'], named = '--redis'): ReadPlace {
  if (given.redis === undefined) {
    const useless = OTHERS.find((option) => given[option] !== undefined)
    return useless === undefined
      ? { ok: true, place: undefined }
      : no(`--${useless} needs ${named} redis://…${named === '--policy' ? IN_A_FILE[useless] : ''}`)
  }
  const address = readRedisAddress(given.redis)
  if (!address.ok) return no(`${named} ${address.problem}`)
  const { place } = address
  const password = passwordOf(place, given['redis-password-file'], env, named)
  if ('problem' in password) return no(password.problem)
  const tls = tlsOf(place, given, named)
  if ('problem' in tls) return no(tls.problem)
  const ofSentinels = place.kind === 'sentinel' ? env.TENANTGATE_REDIS_SENTINEL_PASSWORD : undefined
  return {
    ok: true,
    place: { ...place, ...password, ...tls, ...(ofSentinels !== undefined && { sentinelPassword: ofSentinels }) },
  }
}

function no(problem: string): ReadPlace {
  return { ok: false, problem }
}

interface Failure {
  readonly problem: string
}

function passwordOf(
  place: RedisPlace,
  file: string | undefined,
  env: Io['env'],
  named: string,
): Pick<RedisPlace, 'password'> | Failure {
  if (file === undefined) {
    const password = place.password ?? env.TENANTGATE_REDIS_PASSWORD
    return password === undefined || password === '' ? {} : { password }
  }
  if (place.password !== undefined)
    return { problem: `give the password in ${named} or by --redis-password-file, not both` }
  const text = textOf(file)
  if (text === undefined) return { problem: `--redis-password-file: ${file} cannot be read` }
  const password = text.replace(/\r?\n$/, '')
  return password === '' ? { problem: `--redis-password-file: ${file} is empty` } : { password }
}

function tlsOf(place: RedisPlace, given: Given, named: string): { readonly tls?: Tls } | Failure {
  const asked = TLS_OPTIONS.filter(([option]) => given[option] !== undefined)
  const [first] = asked
  if (!first) return {}
  if (!place.tls) return { problem: `--${first[0]} is for TLS, and ${named} asks for none: write rediss://…` }
  if ((given['redis-certificate'] === undefined) !== (given['redis-key'] === undefined)) {
    return { problem: '--redis-certificate and --redis-key belong together: give both' }
  }
  const tls: { -readonly [name in keyof Tls]: Tls[name] } = {}
  for (const [option, name] of asked) {
    const file = given[option] ?? ''
    const text = textOf(file)
    if (text === undefined) return { problem: `--${option}: ${file} cannot be read` }
    const problem = problemWith(text, option)
    if (problem !== undefined) return { problem: `--${option}: ${file} ${problem}` }
    tls[name] = text
  }
  return { tls }
}

function problemWith(pem: string, option: (typeof TLS_OPTIONS)[number][0]): string | undefined {
  if (!pem.includes('-----BEGIN ')) return 'is not PEM'
  try {
    if (option === 'redis-key') createPrivateKey(pem)
    else new X509Certificate(pem)
    return undefined
  } catch {
    return option === 'redis-key' ? 'has no private key that can be read' : 'has no certificate that can be read'
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
