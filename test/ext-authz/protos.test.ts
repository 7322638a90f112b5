/** Our own-worded protos say on the wire what Envoy's say. */
import { describe, expect, it } from 'vitest'
import { compareShapes, messageOf, ourProtos, shapesOf, theirProtos } from './protos.ts'

const ours = ourProtos()
const theirs = theirProtos()

const CHECK_REQUEST = 'envoy.service.auth.v3.CheckRequest'
const CHECK_RESPONSE = 'envoy.service.auth.v3.CheckResponse'

const option = (key: string, value: string) => ({ header: { key, value }, append_action: 2, keep_empty_value: true })
const struct = { fields: { tenant: { stringValue: 'acme' }, remaining: { numberValue: 3 } } }
const peer = (address: string) => ({
  address: { socket_address: { address, port_value: 4711, protocol: 1 } },
  service: 'edge',
  labels: { zone: 'a' },
  principal: 'spiffe://example.test/acme',
  certificate: '-----BEGIN',
})

const request = {
  attributes: {
    source: peer('192.0.2.7'),
    destination: { address: { pipe: { path: '/run/x.sock', mode: 432 } } },
    request: {
      time: { seconds: 1_700_000_000, nanos: 5 },
      http: {
        id: '1',
        method: 'GET',
        headers: { a: 'b', 'x-api-key': 'k' },
        path: '/v1?x=1',
        host: 'acme.example',
        scheme: 'https',
        query: 'x=1',
        fragment: 'f',
        size: -1,
        protocol: 'HTTP/2',
        body: 'text',
        raw_body: Buffer.from([0xff, 0]),
        header_map: {
          headers: [
            { key: 'a', raw_value: Buffer.from([0xfe]) },
            { key: 'b', value: 'c' },
          ],
        },
      },
    },
    context_extensions: { route: 'orders' },
    metadata_context: { filter_metadata: { jwt: struct } },
    route_metadata_context: { filter_metadata: { edge: struct } },
    tls_session: { sni: 'acme.example' },
  },
}

const responses = {
  ok: {
    status: { code: 0 },
    ok_response: {
      headers: [option('x-tenant-id', 'acme')],
      headers_to_remove: ['x_tenant_id'],
      response_headers_to_add: [option('ratelimit', 'r=1')],
      query_parameters_to_set: [{ key: 'a', value: 'b' }],
      query_parameters_to_remove: ['c'],
      dynamic_metadata: struct,
    },
    dynamic_metadata: struct,
  },
  denied: {
    status: { code: 16, message: 'no' },
    denied_response: { status: { code: 401 }, headers: [option('www-authenticate', 'Bearer')], body: '{}' },
    dynamic_metadata: struct,
  },
}

describe('the protos are compatible on the wire', () => {
  it('each field has the name, the number, the kind and the repetition of Envoy’s', () => {
    const { compared, differences, newer } = compareShapes(shapesOf(ours), shapesOf(theirs))
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(60)
    expect(newer).toEqual([`${CHECK_RESPONSE}.error_response = 5 LABEL_OPTIONAL TYPE_MESSAGE DeniedHttpResponse`])
  })

  it('two swapped fields would be found', () => {
    const swapped = new Map(shapesOf(ours))
    const name = 'envoy.service.auth.v3.AttributeContext.HttpRequest'
    const fields = new Map(swapped.get(name))
    const [path, host] = [fields.get('path') ?? '', fields.get('host') ?? '']
    swapped.set(name, fields.set('path', host).set('host', path))
    expect(compareShapes(swapped, shapesOf(theirs)).differences).toHaveLength(2)
  })

  it('every status that we name has the number of Envoy’s', () => {
    const values = (protos: typeof ours) => {
      const type = protos['envoy.type.v3.StatusCode']?.type
      return (type as { value: { name: string; number: number }[] }).value
    }
    const known = new Map(values(theirs).map(({ name, number }) => [name, number]))
    for (const { name, number } of values(ours)) expect(known.get(name), name).toBe(number)
  })

  it.each([
    { title: 'bytes of theirs decode with ours', from: theirs, to: ours },
    { title: 'bytes of ours decode with theirs', from: ours, to: theirs },
  ])('$title', ({ from, to }) => {
    const cases = [
      [CHECK_REQUEST, request],
      [CHECK_RESPONSE, responses.ok],
      [CHECK_RESPONSE, responses.denied],
    ] as const
    for (const [name, message] of cases) {
      const bytes = messageOf(from, name).serialize(message)
      expect(bytes.length).toBeGreaterThan(50)
      const decoded = messageOf(to, name).deserialize(bytes)
      expect(decoded).toEqual(messageOf(from, name).deserialize(bytes))
      expect(decoded).toMatchObject(message)
    }
  })
})
