/** The snippet guards as the reference does: the parts that both have are equal, and it works in somebody else's Envoy. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { referenceFile } from '../../demo/envoy-config.ts'
import { allow, type Gateway, startGateway } from '../support/gateway.ts'
import { type Snippet, snippetFile, withSnippet } from '../support/snippet.ts'

const snippet: Snippet = parse(readFileSync(snippetFile, 'utf8'))
const { clusters, listeners } = parse(readFileSync(referenceFile, 'utf8')).static_resources
const reference = listeners[0].filter_chains[0].filters[0].typed_config
const named = (list: readonly object[], name: string) => list.find((one) => 'name' in one && one.name === name)

describe('what the reference has too is equal there', () => {
  it('the request headers that are removed', () => {
    const ours = snippet.http_connection_manager.early_header_mutation_extensions
    expect(ours).toEqual(reference.early_header_mutation_extensions)
    expect(ours).toHaveLength(1)
  })

  it('what a client says of certificates is removed, and what Envoy knows is told', () => {
    const { forward_client_cert_details: ours } = snippet.http_connection_manager
    expect([ours, reference.forward_client_cert_details]).toEqual(['SANITIZE', 'SANITIZE'])
    const told = ({ typed_config: config }: { typed_config: Record<string, unknown> }) =>
      [config.include_peer_certificate, config.metadata_context_namespaces] as const
    const filter = (list: readonly object[]) =>
      told(named(list, 'envoy.filters.http.ext_authz') as Parameters<typeof told>[0])
    expect(filter(snippet.http_filters)).toEqual([true, ['envoy.filters.http.jwt_authn']])
    expect(filter(snippet.http_filters)).toEqual(filter(reference.http_filters))
  })

  it('the response headers and request trailers that are removed', () => {
    const name = 'envoy.filters.http.header_mutation'
    expect(named(snippet.http_filters, name)).toBeDefined()
    expect(named(snippet.http_filters, name)).toEqual(named(reference.http_filters, name))
  })

  it('the paths that are refused before the sidecar is asked', () => {
    expect(snippet.virtual_host.routes).toEqual([named(reference.route_config.virtual_hosts[0].routes, 'not-ascii')])
  })

  it('what is for routes, and for no backend', () => {
    const { request_headers_to_remove: ours } = snippet.virtual_host
    expect(ours).toEqual(['x-tenantgate-fallback'])
    expect(ours).toEqual(reference.route_config.virtual_hosts[0].request_headers_to_remove)
  })

  it('the way to the sidecar', () => {
    expect(snippet.clusters).toEqual([named(clusters, 'tenantgate')])
  })
})

/** Says which headers came, and claims to be a tenant. */
const backend = createServer((request, response) => {
  response.setHeader('x-tenant-id', 'echoed').setHeader('x-own', 'kept').end(JSON.stringify(request.headers))
})

describe("in somebody else's Envoy", () => {
  let gateway: Gateway
  beforeAll(async () => {
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    const { port } = backend.address() as AddressInfo
    gateway = await startGateway({ 'orders-stable': port }, JSON.stringify(withSnippet(snippet)))
  })
  afterAll(async () => {
    await gateway.stop()
    backend.close()
  })
  beforeEach(() => {
    gateway.checks.length = 0
    gateway.answer = () => allow()
  })

  it.each(['x-tenant-id', 'X-User_Roles', 'x_tenant_id', 'x-tenantgate-upstream', 'x-forwarded-host', 'forwarded'])(
    '%s of a client reaches neither sidecar nor backend',
    async (name) => {
      const { status, json } = await gateway.ask({ path: '/', headers: { [name]: 'liar', 'x-own': 'kept' } })
      expect([status, json['x-own']]).toEqual([200, 'kept'])
      expect(json).not.toHaveProperty(name.toLowerCase())
      expect(gateway.checks[0]?.headers).not.toHaveProperty(name.toLowerCase())
    },
  )

  it('what the sidecar sets reaches the backend and not the client', async () => {
    gateway.answer = () => allow({ 'x-tenant-id': 'acme', 'x-tenantgate-fallback': 'orders-stable' })
    const { json, headers } = await gateway.ask({ path: '/', headers: { 'x-tenant-id': 'liar' } })
    expect(json['x-tenant-id']).toBe('acme')
    expect(json).not.toHaveProperty('x-tenantgate-fallback')
    expect(headers['x-own']).toBe('kept')
    expect(headers).not.toHaveProperty('x-tenant-id')
  })

  it("the sidecar's refusal passes with its body", async () => {
    gateway.answer = () => ({
      status: { code: 7 },
      deniedResponse: { status: { code: 401 }, headers: [], body: '{"code":"as it was"}' },
      dynamicMetadata: { fields: { decision: { stringValue: 'deny' } } },
    })
    expect(await gateway.ask({ path: '/' })).toMatchObject({ status: 401, body: '{"code":"as it was"}' })
  })

  it('a sidecar that is away is 503, and the body says so', async () => {
    await gateway.stopSidecar()
    const { status, json, headers } = await gateway.ask({ path: '/' })
    expect([status, json.status, json.code]).toEqual([503, 503, 'dependency_unavailable'])
    expect(headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' })
  })
})
