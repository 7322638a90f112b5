/** What the guard hands over becomes the request that the core reads; what cannot be read is no request. */
import { describe, expect, it } from 'vitest'
import { readHanded, readRequest } from '../../kong/read-request.ts'
import { createAuthority } from '../support/certificates.ts'

const handed = {
  id: 'kong-1',
  requestId: 'r-1',
  method: 'POST',
  target: '/a/../b?c=d',
  host: 'acme.api.test:8443',
  headers: { 'x-api-key': 'k' },
  address: '192.0.2.7',
}

const read = (more: object = {}) => {
  const found = readHanded(JSON.stringify({ ...handed, ...more }))
  if (typeof found === 'string') throw new Error(found)
  return readRequest(found)
}

describe('a request that was handed over', () => {
  it('is read as it stands: nothing of it is repaired', () => {
    expect(read()).toEqual({
      id: 'r-1',
      method: 'POST',
      host: 'acme.api.test:8443',
      path: '/a/../b?c=d',
      headers: { 'x-api-key': 'k' },
      clientAddress: '192.0.2.7',
    })
  })

  it('has repeats of a header joined by a comma, also of names that differ in case only', () => {
    const { headers } = read({ headers: { 'x-api-key': ['one', 'two'], 'X-API-KEY': 'three', x_api_key: 'four' } })
    expect({ ...headers }).toEqual({ 'x-api-key': 'one,two,three', x_api_key: 'four' })
  })

  it('keeps headers named like properties of every object apart from them', () => {
    const found = readHanded(JSON.stringify(handed).replace('"x-api-key":"k"', '"__proto__":"a","constructor":"b"'))
    const { headers } = readRequest(found as Exclude<typeof found, string>)
    expect(Object.entries(headers)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })

  it("is known by Kong's own id where nobody gave it one, or one that is too long", () => {
    expect(read({ requestId: '' }).id).toBe('kong-1')
    expect(read({ requestId: 'x'.repeat(129) }).id).toBe('kong-1')
    expect(read({ requestId: 'x'.repeat(128) }).id).toHaveLength(128)
  })

  it('has the certificate of its connection, and none that a header tells', () => {
    const { pem } = createAuthority('test').issue({ uris: ['spiffe://acme.example/a'] })
    const headers = { 'x-forwarded-client-cert': 'URI=spiffe://globex.example/a' }
    expect(read({ headers, certificate: pem }).clientCertificate?.uris).toEqual(['spiffe://acme.example/a'])
    expect(read({ headers, certificate: '' }).clientCertificate).toEqual({ uris: [], dnsNames: [] })
    for (const request of [read({ headers }), read({ headers, certificate: pem })]) {
      expect(request).not.toHaveProperty('forwardedCertificate')
    }
    expect(read({ headers })).not.toHaveProperty('clientCertificate')
  })

  it('tells whether anybody still waits, and for how long', () => {
    const found = readHanded(JSON.stringify(handed))
    const asker = { abandoned: () => true, timeLeftMs: () => 7 }
    const request = readRequest(found as Exclude<typeof found, string>, asker)
    expect([request.abandoned?.(), request.timeLeftMs?.()]).toEqual([true, 7])
  })
})

describe('what cannot be read', () => {
  const { id: _, ...withoutId } = handed
  it.each([
    ['no JSON', '{"id":'],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', 7],
    ['an object that is no text', { ...handed }],
    ['a field less', JSON.stringify(withoutId)],
    ['an empty id', JSON.stringify({ ...handed, id: '' })],
    ['a method that is no text', JSON.stringify({ ...handed, method: null })],
    ['a certificate that is no text', JSON.stringify({ ...handed, certificate: { uris: ['a'] } })],
    ['headers that are none', JSON.stringify({ ...handed, headers: 'x' })],
    ['a list of headers', JSON.stringify({ ...handed, headers: ['x'] })],
    ['a header that is a number', JSON.stringify({ ...handed, headers: { a: 1 } })],
    ['a header with a line that is no text', JSON.stringify({ ...handed, headers: { a: ['b', null] } })],
  ])('%s', (_what, text) => {
    expect(readHanded(text as string)).toBe('unreadable')
  })

  it('a text that is far too long is not even parsed', () => {
    expect(readHanded(JSON.stringify({ ...handed, headers: { a: 'x'.repeat(600_000) } }))).toBe('too large')
  })
})
