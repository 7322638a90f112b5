/** The settings of envoyproxy/ratelimit that change its answers, under the names that it has for them in the environment. */
import type { HitsSettings } from '../../core/descriptors/config.ts'
import type { DescriptorSource } from '../../policy/ratelimit/load.ts'
import type { Io } from '../io.ts'

export interface RatelimitOptions extends DescriptorSource {
  readonly settings: HitsSettings
}

export type ReadRatelimitOptions =
  | { readonly ok: true; readonly options: RatelimitOptions }
  | { readonly ok: false; readonly problem: string }

/** What holds where nothing else is said, and for a service without a configuration. */
export const DEFAULT_HITS_SETTINGS: HitsSettings = Object.freeze({
  headers: false,
  shadow: false,
  quota: false,
  sparing: false,
  metadata: false,
})

/** As Go reads booleans; that service does not start with any other word. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False', ''].map((word) => [word, false] as const),
])

const SWITCHES = [
  'LIMIT_RESPONSE_HEADERS_ENABLED',
  'SHADOW_MODE',
  'QUOTA_MODE',
  'STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT',
  'RESPONSE_DYNAMIC_METADATA',
  'MERGE_DOMAIN_CONFIG',
] as const

const HEADERS = {
  limit: ['LIMIT_LIMIT_HEADER', 'RateLimit-Limit'],
  remaining: ['LIMIT_REMAINING_HEADER', 'RateLimit-Remaining'],
  reset: ['LIMIT_RESET_HEADER', 'RateLimit-Reset'],
} as const

/** RFC 9110 §5.1: a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/

/** Reads the settings that go with the folder; a word that means nothing is told, and not taken for false. */
export function readRatelimitOptions(folder: string, env: Io['env']): ReadRatelimitOptions {
  const isOn: Partial<Record<(typeof SWITCHES)[number], boolean>> = {}
  for (const name of SWITCHES) {
    const value = BOOLEANS.get(env[name] ?? '')
    if (value === undefined) return { ok: false, problem: `${name} is true or false, not '${env[name]}'` }
    isOn[name] = value
  }
  const names = { limit: '', remaining: '', reset: '' }
  for (const [part, [variable, usual]] of Object.entries(HEADERS)) {
    const name = env[variable] || usual
    if (!HEADER_NAME.test(name)) return { ok: false, problem: `${variable} is the name of a header, not '${name}'` }
    names[part as keyof typeof names] = name
  }
  const settings: HitsSettings = {
    headers: isOn.LIMIT_RESPONSE_HEADERS_ENABLED === true && names,
    shadow: isOn.SHADOW_MODE === true,
    quota: isOn.QUOTA_MODE === true,
    sparing: isOn.STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT === true,
    metadata: isOn.RESPONSE_DYNAMIC_METADATA === true,
  }
  return { ok: true, options: { folder, mergeDomains: isOn.MERGE_DOMAIN_CONFIG === true, settings } }
}
