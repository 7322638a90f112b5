/** What Envoy tells becomes the request that the core reads, whatever form it comes in. */
import { describe, expect, it } from 'vitest'
import { readRequest } from '../../ext-authz/read-request.ts'
import { checkOf } from './client.ts'

const headerMap = (...headers: { key?: string; value?: string; rawValue?: Buffer }[]) => ({ headerMap: { headers } })

describe('readRequest', () => {
  it('takes method, host, path with query, headers and the address that Envoy determined', () => {
    const headers = { 'x-request-id': 'r-1', 'x-api-key': 'k' }
    expect(readRequest(checkOf({ method: 'POST', path: '/a?b=c', headers }))).toEqual({
      id: 'r-1',
      method: 'POST',
      host: 'acme.api.localhost',
      path: '/a?b=c',
      headers,
      clientAddress: '192.0.2.7',
    })
  })

  it.each([{}, { attributes: {} }, { attributes: { request: {} } }])(
    'is undefined without an HTTP request: %j',
    (check) => {
      expect(readRequest(check)).toBeUndefined()
    },
  )

  it('fills what is missing with empty texts', () => {
    const empty = { id: '', method: '', host: '', path: '', headers: {}, clientAddress: '' }
    expect(readRequest({ attributes: { request: { http: {} } } })).toEqual(empty)
  })

  it('joins repeats of a raw header by a comma, whatever their case', () => {
    const raw = headerMap({ key: 'x-api-key', rawValue: Buffer.from('one') }, { key: 'X-Api-Key', value: 'two' })
    expect({ ...readRequest(checkOf(raw))?.headers }).toEqual({ 'x-api-key': 'one,two' })
  })

  it('joins names of a plain map that differ in case only', () => {
    const headers = { 'x-api-key': 'one', 'X-API-Key': 'two' }
    expect({ ...readRequest(checkOf({ headers }))?.headers }).toEqual({ 'x-api-key': 'one,two' })
  })

  it('never repairs bytes that are not UTF-8 into a text that somebody could have sent', () => {
    const raw = headerMap({ key: 'x-api-key', rawValue: Buffer.from([0x6b, 0xff]) })
    expect(readRequest(checkOf(raw))?.headers['x-api-key']).toBe('k\ufffd')
  })

  it('keeps headers named like properties of every object apart from them', () => {
    const raw = headerMap({ key: '__proto__', value: 'a' }, { key: 'constructor', value: 'b' }, { value: 'nameless' })
    const headers = readRequest(checkOf(raw))?.headers ?? {}
    expect(Object.entries(headers)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })

  it('takes Envoy’s own id when the request id is missing, or too long to be one', () => {
    expect(readRequest(checkOf())?.id).toBe('7')
    expect(readRequest(checkOf({ headers: { 'x-request-id': 'x'.repeat(129) } }))?.id).toBe('7')
    expect(readRequest(checkOf({ headers: { 'x-request-id': 'x'.repeat(128) } }))?.id).toHaveLength(128)
  })

  it('knows no client address of a request that came over a pipe', () => {
    const source: object = { address: { pipe: { path: '/x' } } }
    expect(readRequest({ attributes: { source, request: { http: { path: '/' } } } })?.clientAddress).toBe('')
  })
})
