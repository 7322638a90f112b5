/** The settings of envoyproxy/ratelimit in the environment: its names, its defaults, its words for yes and no. */
import { expect, it } from 'vitest'
import { readRatelimitOptions } from '../../../cli/service/ratelimit-options.ts'

const read = (env: Record<string, string> = {}) => readRatelimitOptions('limits', env)

it('all are off where nothing is said', () => {
  const settings = { headers: false, shadow: false, quota: false, sparing: false, metadata: false }
  expect(read()).toEqual({ ok: true, options: { folder: 'limits', mergeDomains: false, settings } })
  expect(read({ SHADOW_MODE: '', LIMIT_LIMIT_HEADER: '' })).toEqual(read())
})

it('each is turned on by its own name', () => {
  const env = {
    LIMIT_RESPONSE_HEADERS_ENABLED: 'true',
    SHADOW_MODE: '1',
    QUOTA_MODE: 'T',
    STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: 'True',
    RESPONSE_DYNAMIC_METADATA: 'TRUE',
    MERGE_DOMAIN_CONFIG: 't',
  }
  const headers = { limit: 'RateLimit-Limit', remaining: 'RateLimit-Remaining', reset: 'RateLimit-Reset' }
  const settings = { headers, shadow: true, quota: true, sparing: true, metadata: true }
  expect(read(env)).toEqual({ ok: true, options: { folder: 'limits', mergeDomains: true, settings } })
  for (const name of Object.keys(env)) expect(read({ [name]: 'true' })).not.toEqual(read())
})

it('headers have the names that are given, and none while they are off', () => {
  const names = { LIMIT_LIMIT_HEADER: 'x-l', LIMIT_REMAINING_HEADER: 'x-r', LIMIT_RESET_HEADER: 'x-s' }
  expect(read(names)).toEqual(read())
  expect(read({ ...names, LIMIT_RESPONSE_HEADERS_ENABLED: '1' })).toMatchObject({
    options: { settings: { headers: { limit: 'x-l', remaining: 'x-r', reset: 'x-s' } } },
  })
})

it.each([
  [{ SHADOW_MODE: 'yes' }, "SHADOW_MODE is true or false, not 'yes'"],
  [{ QUOTA_MODE: 'on' }, "QUOTA_MODE is true or false, not 'on'"],
  [{ LIMIT_RESET_HEADER: 'a b' }, "LIMIT_RESET_HEADER is the name of a header, not 'a b'"],
])('what means nothing is told, and not taken for no: %j', (env, problem) => {
  expect(read(env as unknown as Record<string, string>)).toEqual({ ok: false, problem })
})
