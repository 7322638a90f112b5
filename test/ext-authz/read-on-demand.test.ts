/** What clients write into a header that no policy asks for costs nothing. */
import { expect, it, vi } from 'vitest'

const read = vi.hoisted(() => ({ forwarded: 0, peer: 0 }))
vi.mock('../../ext-authz/forwarded-certificate.ts', async (original) => {
  const real = await original<typeof import('../../ext-authz/forwarded-certificate.ts')>()
  const forwardedCertificate = (header: string) => {
    read.forwarded += 1
    return real.forwardedCertificate(header)
  }
  return { ...real, forwardedCertificate }
})
vi.mock('../../ext-authz/verified-by-envoy.ts', async (original) => {
  const real = await original<typeof import('../../ext-authz/verified-by-envoy.ts')>()
  const peerCertificate: typeof real.peerCertificate = (peer) => {
    read.peer += 1
    return real.peerCertificate(peer)
  }
  return { ...real, peerCertificate }
})

const { readRequest } = await import('../../ext-authz/read-request.ts')
const { decide } = await import('../../core/decide.ts')
const { gateOf, NOON, policyOf } = await import('../support/gate.ts')

const askedBy = (identity: string) => {
  const { given } = gateOf(
    policyOf(`version: 1
identity: ${identity}
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, certificates: [{ id: a, uri: "urn:a" }] } }
routes: [{ name: all, match: { path: /** } }]
`),
  )
  const headers = { 'x-forwarded-client-cert': 'URI=urn:a' }
  const http = { method: 'GET', host: 'gateway.test', path: '/', headers }
  const request = readRequest({ attributes: { source: { principal: 'urn:a' }, request: { http } } })
  return request && decide(request, { ...given, now: NOON })
}

it('a certificate is read only where the policy asks for it, and the one that it asks for', async () => {
  expect(await askedBy('{ sources: [apiKey] }')).toMatchObject({ reason: 'missing_credential' })
  expect(read).toEqual({ forwarded: 0, peer: 0 })
  expect(await askedBy('{ sources: [clientCertificate] }')).toMatchObject({ reason: 'allowed' })
  expect(read).toEqual({ forwarded: 0, peer: 1 })
  const forwarded = '{ sources: [clientCertificate], clientCertificate: { forwarded: true } }'
  expect(await askedBy(forwarded)).toMatchObject({ reason: 'allowed' })
  expect(read).toEqual({ forwarded: 1, peer: 1 })
})
