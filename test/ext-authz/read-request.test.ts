/** What Envoy tells becomes the request that the core reads, whatever form it comes in. */
import { describe, expect, it } from 'vitest'
import { readRequest } from '../../ext-authz/read-request.ts'
import { loadAuthorization } from '../../ext-authz/service.ts'
import { createAuthority } from '../support/certificates.ts'
import { checkOf } from './client.ts'
import { messageOf, theirProtos } from './protos.ts'

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

const http = { path: '/', headers: {} }
const ofPeer = (source: object) => readRequest({ attributes: { source, request: { http } } })

describe('the certificate of the connection', () => {
  const { pem } = createAuthority('test').issue({ uris: ['spiffe://acme.example/a'], dnsNames: ['a.acme.example'] })

  it('is read whole where Envoy hands it over, whatever name stands beside it', () => {
    const read = ofPeer({ principal: 'spiffe://globex.example/a', certificate: encodeURIComponent(pem) })
    expect(read?.clientCertificate).toMatchObject({ uris: ['spiffe://acme.example/a'], dnsNames: ['a.acme.example'] })
    expect(read?.clientCertificate?.notAfter).toBeGreaterThan(0)
  })

  it.each([
    ['spiffe://acme.example/a', { uris: ['spiffe://acme.example/a'], dnsNames: [] }],
    ['a.acme.example', { uris: [], dnsNames: ['a.acme.example'] }],
    ['CN=a,O=M\\C3\\BCller', { uris: [], dnsNames: [], subject: 'CN=a,O=Müller' }],
  ])('is the one name that Envoy tells without it: %s', (principal, certificate) => {
    expect(ofPeer({ principal })?.clientCertificate).toEqual(certificate)
  })

  it('that cannot be read is nobody’s, and not missing', () => {
    const read = ofPeer({ principal: 'spiffe://acme.example/a', certificate: '%zz' })
    expect(read?.clientCertificate).toEqual({ uris: [], dnsNames: [] })
  })

  it('is missing where there is none', () => {
    for (const source of [{}, { principal: '', certificate: '' }]) {
      expect(ofPeer(source)).not.toHaveProperty('clientCertificate')
    }
  })

  it('and the one that a proxy was shown are apart', () => {
    const headers = { 'x-forwarded-client-cert': 'Hash=ab;URI=spiffe://globex.example/b' }
    const read = readRequest({ attributes: { source: { principal: 'urn:a' }, request: { http: { headers } } } })
    expect(read?.clientCertificate?.uris).toEqual(['urn:a'])
    expect(read?.forwardedCertificate?.uris).toEqual(['spiffe://globex.example/b'])
  })

  it.each(['x-forwarded-client-cert', 'X-Forwarded-Client-Cert'])('the one of a proxy is read from %s only', (name) => {
    const headers = { [name]: 'URI=urn:a', x_forwarded_client_cert: 'URI=urn:liar', 'x-client-cert': 'URI=urn:liar' }
    const read = readRequest({ attributes: { request: { http: { headers } } } })
    expect(read?.forwardedCertificate?.uris).toEqual(['urn:a'])
    expect(read).not.toHaveProperty('clientCertificate')
  })
})

describe('what Envoy’s jwt_authn has verified', () => {
  type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
  const jsonValue = (value: Json): object => {
    if (value === null) return { nullValue: 0 }
    if (typeof value === 'string') return { stringValue: value }
    if (typeof value === 'number') return { numberValue: value }
    if (typeof value === 'boolean') return { boolValue: value }
    if (Array.isArray(value)) return { listValue: { values: value.map(jsonValue) } }
    return { structValue: structOf(value as { readonly [name: string]: Json }) }
  }
  const structOf = (object: { readonly [name: string]: Json }): object => ({
    fields: Object.fromEntries(Object.entries(object).map(([name, value]) => [name, jsonValue(value)])),
  })
  const theirs = messageOf(theirProtos(), 'envoy.service.auth.v3.CheckRequest')
  const ours = loadAuthorization().Check
  /** Over the wire, as Envoy encodes it. */
  const claims = (metadata: Readonly<Record<string, { readonly [name: string]: Json }>>) => {
    const filter_metadata = Object.fromEntries(
      Object.entries(metadata).map(([filter, fields]) => [filter, structOf(fields)]),
    )
    const attributes = { request: { http: { path: '/' } }, metadata_context: { filter_metadata } }
    const bytes = theirs.serialize({ attributes })
    return readRequest(ours.requestDeserialize(bytes))?.verifiedClaims
  }
  const JWT_AUTHN = 'envoy.filters.http.jwt_authn'

  it('comes as plain values of every kind', () => {
    const payload = {
      iss: 'https://id.test',
      exp: 1_800_000_000,
      admin: false,
      none: null,
      aud: ['a', 1, true, null, [], {}],
      realm_access: { roles: ['x'], deep: { er: {} } },
      empty: '',
      zero: 0,
    }
    const [read] = claims({ [JWT_AUTHN]: { jwt_payload: payload } }) ?? []
    expect(JSON.parse(JSON.stringify(read))).toEqual(payload)
  })

  it('is each payload, and nothing that is none', () => {
    const read = claims({
      [JWT_AUTHN]: {
        a: { iss: 'a' },
        b: { iss: 'b' },
        header: { alg: 'RS256' },
        failed: { code: 3 },
        text: 'iss',
        list: ['iss'],
      },
    })
    expect(read?.map(({ iss }) => iss)).toEqual(['a', 'b'])
  })

  it('is not what another filter has written', () => {
    expect(claims({ 'envoy.filters.http.lua': { jwt_payload: { iss: 'a' } }, [JWT_AUTHN]: {} })).toBeUndefined()
  })

  it('has names like properties of every object apart from them', () => {
    const payload = JSON.parse('{"iss":"a","__proto__":{"tenant":"acme"},"constructor":"c"}')
    const [read] = claims({ [JWT_AUTHN]: { payload } }) ?? []
    expect(read?.tenant).toBeUndefined()
    expect(Object.keys(read ?? {}).sort()).toEqual(['__proto__', 'constructor', 'iss'])
  })

  it.each([
    ['too deep', { iss: 'a', deep: Array.from({ length: 33 }).reduce<Json>((inner) => ({ a: inner }), 1) }],
    ['too large', { iss: 'a', large: Array.from({ length: 5000 }, () => 1) }],
  ])('a payload that is %s is not read at all', (_, payload) => {
    expect(claims({ [JWT_AUTHN]: { payload, other: { iss: 'b' } } })?.map(({ iss }) => iss)).toEqual(['b'])
  })

  it('one so deep that it could exhaust the stack is no message', () => {
    const payload = { iss: 'a', deep: Array.from({ length: 200 }).reduce<Json>((inner) => [inner], 1) }
    expect(() => claims({ [JWT_AUTHN]: { payload } })).toThrow('depth')
  })
})
