/** The options that name a Redis: what they come to, and that no password stands in what is said of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readOptions } from '../../cli/options.ts'
import { REDIS_SPECS, readPlace } from '../../cli/redis-options.ts'
import { createAuthority } from '../support/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'redis-options-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PASSWORD = 'a demo word'
const AUTHORITY = createAuthority('Redis authority')
const SHOWN = AUTHORITY.issue({ subject: [['CN', 'tenantgate']] })

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function placeOf(argv: readonly string[], env: Record<string, string> = {}) {
  const read = readOptions(REDIS_SPECS, argv, env)
  if (!read.ok) throw new Error(read.problem)
  const place = readPlace(read.options, env)
  return place.ok ? place.place : place.problem
}

describe('the options that name a Redis', () => {
  it('name none where none is given', () => {
    expect(placeOf([], { TENANTGATE_REDIS_PASSWORD: PASSWORD })).toBeUndefined()
  })

  it('have twins in the environment', () => {
    const env = { TENANTGATE_REDIS: 'redis://cache', TENANTGATE_REDIS_PASSWORD_FILE: file('word', `${PASSWORD}\n`) }
    expect(placeOf([], env)).toMatchObject({ nodes: [{ host: 'cache', port: 6379 }], password: PASSWORD })
  })

  it('take the password from the environment, unless the address or a file has one', () => {
    const env = { TENANTGATE_REDIS_PASSWORD: 'from outside' }
    expect(placeOf(['--redis', 'redis://cache'], env)).toMatchObject({ password: 'from outside' })
    expect(placeOf(['--redis', 'redis://:own@cache'], env)).toMatchObject({ password: 'own' })
    const path = file('other', PASSWORD)
    expect(placeOf(['--redis', 'redis://cache', '--redis-password-file', path], env)).toMatchObject({
      password: PASSWORD,
    })
  })

  it('give sentinels a password of their own', () => {
    const env = { TENANTGATE_REDIS_SENTINEL_PASSWORD: PASSWORD }
    expect(placeOf(['--redis', 'redis+sentinel://one/gate'], env)).toMatchObject({ sentinelPassword: PASSWORD })
    expect(placeOf(['--redis', 'redis://one'], env)).not.toHaveProperty('sentinelPassword')
  })

  it('read what TLS is spoken with', () => {
    const tls = { ca: AUTHORITY.pem, certificate: SHOWN.pem, key: SHOWN.key }
    const argv = Object.entries(tls).flatMap(([name, text]) => [`--redis-${name}`, file(name, text)])
    expect(placeOf(['--redis', 'rediss://cache', ...argv])).toMatchObject({ tls })
  })

  it.each([
    [['--redis', 'cache'], /^--redis is not the address/],
    [['--redis-ca', 'x'], /^--redis-ca needs --redis/],
    [['--redis', 'redis://cache', '--redis-ca', 'x'], /rediss/],
    [['--redis', 'rediss://cache', '--redis-key', 'x'], /give both/],
    [['--redis', 'rediss://cache', '--redis-ca', '/nowhere/ca'], /cannot be read/],
    [['--redis', 'redis://cache', '--redis-password-file', '/nowhere/word'], /cannot be read/],
    [['--redis', 'redis://:own@cache', '--redis-password-file', '/nowhere/word'], /not both/],
  ])('%j is refused in words', (argv, words) => {
    expect(placeOf(argv)).toMatch(words)
  })

  it('refuse an empty file, and one that is not PEM, without telling what stands in it', () => {
    expect(placeOf(['--redis', 'redis://cache', '--redis-password-file', file('empty', '\n')])).toMatch(/is empty/)
    const problem = placeOf(['--redis', 'rediss://cache', '--redis-ca', file('none', PASSWORD)])
    expect(problem).toMatch(/is not PEM/)
    expect(problem).not.toContain(PASSWORD)
  })

  it('refuse a key where a certificate is meant, and the other way round', () => {
    const [certificate, key] = [file('shown.pem', SHOWN.pem), file('shown.key', SHOWN.key)]
    expect(placeOf(['--redis', 'rediss://cache', '--redis-ca', key])).toMatch(/has no certificate that can be read/)
    const swapped = ['--redis-certificate', certificate, '--redis-key', certificate]
    expect(placeOf(['--redis', 'rediss://cache', ...swapped])).toMatch(/has no private key that can be read/)
  })
})
