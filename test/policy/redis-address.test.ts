/** The address of a Redis: what each form means, and that nothing of one is ever quoted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRedisAddress } from '../../policy/redis-address.ts'

function placeOf(text: string) {
  const read = readRedisAddress(text)
  return read.ok ? read.place : read.problem
}

const one = { kind: 'single', database: 0, prefix: 'tenantgate' }

describe('the address of a Redis', () => {
  it.each([
    ['redis://cache', { ...one, nodes: [{ host: 'cache', port: 6379 }] }],
    ['redis://cache/', { ...one, nodes: [{ host: 'cache', port: 6379 }] }],
    ['redis://127.0.0.1:7000/3', { ...one, nodes: [{ host: '127.0.0.1', port: 7000 }], database: 3 }],
    ['redis://[::1]:7000', { ...one, nodes: [{ host: '::1', port: 7000 }] }],
    ['redis://cache?prefix=eu:gate', { ...one, nodes: [{ host: 'cache', port: 6379 }], prefix: 'eu:gate' }],
    ['rediss://cache.example', { ...one, nodes: [{ host: 'cache.example', port: 6379 }], tls: {} }],
    ['redis://:word@cache', { ...one, nodes: [{ host: 'cache', port: 6379 }], password: 'word' }],
    [
      'redis://gate:a%2Fb%40c@cache',
      { ...one, nodes: [{ host: 'cache', port: 6379 }], username: 'gate', password: 'a/b@c' },
    ],
  ])('%s is one server', (text, place) => {
    expect(placeOf(text)).toEqual(place)
  })

  it('names sentinels, what they call the primary, and the database there', () => {
    expect(placeOf('rediss+sentinel://one:26380,two/gate/2?prefix=x')).toEqual({
      kind: 'sentinel',
      nodes: [
        { host: 'one', port: 26_380 },
        { host: 'two', port: 26_379 },
      ],
      primary: 'gate',
      database: 2,
      prefix: 'x',
      tls: {},
    })
  })

  it('names some nodes of a cluster', () => {
    expect(placeOf('redis+cluster://one,two:7001')).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'one', port: 6379 },
        { host: 'two', port: 7001 },
      ],
      database: 0,
      prefix: 'tenantgate',
    })
  })

  it.each([
    ['', /forms are/],
    ['cache:6379', /forms are/],
    ['http://cache', /forms are/],
    ['redis://', /forms are/],
    ['unix:/run/redis.sock', /Unix socket/],
    ['redis://one,two', /several hosts/],
    ['redis://one:0', /host that is none/],
    ['redis://one:65536', /host that is none/],
    ['redis://[nonsense]', /host that is none/],
    ['redis+cluster://one,,two', /host that is none/],
    ['redis://cache/x', /database that is none/],
    ['redis://cache/01', /database that is none/],
    ['redis://cache/0/0', /database that is none/],
    ['redis+cluster://cache/1', /none but 0/],
    ['redis+sentinel://one', /call the primary/],
    ['redis+sentinel://one/', /call the primary/],
    ['redis://cache?prefix={x}', /prefix/],
    ['redis://cache?prefix=', /prefix/],
    ['redis://cache?db=1', /only one/],
    ['redis://:100%@cache', /percent-encoded/],
  ])('%j is refused in words', (text, words) => {
    expect(placeOf(text)).toMatch(words)
  })

  it('quotes nothing of what was written, where a password may stand anywhere', () => {
    const secret = 'Zq7Zq7Zq7'
    const written = fc.array(fc.constantFrom(secret, ':', '/', '@', '?', '#', '%', ',', 'host', '+cluster', '[', '='), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(fc.constantFrom('redis://', 'rediss+sentinel://', ''), written, (scheme, pieces) => {
        const read = readRedisAddress(`${scheme}${pieces.join('')}`)
        if (!read.ok) expect(read.problem).not.toContain(secret)
      }),
    )
  })
})
