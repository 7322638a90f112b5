/** Behind a proxy the connection's certificate is the proxy's, and without one what clients write is theirs: never one for the other. */
import { describe, expect, it } from 'vitest'
import type { GatewayRequest } from '../../../core/request.ts'
import { gateOf, policyOf } from '../../support/gate.ts'

const certificate = { uris: ['urn:acme'], dnsNames: [] }
const stranger = { uris: ['urn:nobody'], dnsNames: [] }

function gate(forwarded: boolean) {
  return gateOf(
    policyOf(`version: 1
identity: { sources: [clientCertificate], clientCertificate: { forwarded: ${forwarded} } }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, certificates: [{ id: proxy, uri: "urn:acme" }] } }
routes: [{ name: all, match: { path: /** } }]
`),
  )
}

type Certificates = Pick<GatewayRequest, 'clientCertificate' | 'forwardedCertificate'>

describe('where the proxy’s word is believed', () => {
  it.each<[string, Certificates, string]>([
    [
      'the certificate that it was shown counts',
      { clientCertificate: stranger, forwardedCertificate: certificate },
      'allowed',
    ],
    ['a client that has shown it none is not the proxy', { clientCertificate: certificate }, 'missing_credential'],
    [
      'a stranger is not the proxy',
      { clientCertificate: certificate, forwardedCertificate: stranger },
      'invalid_credential',
    ],
  ])('%s', async (_, shown, reason) => {
    expect((await gate(true).ask(shown)).reason).toBe(reason)
  })
})

describe('where it is not', () => {
  it.each<[string, Certificates, string]>([
    [
      'the certificate of the connection counts',
      { clientCertificate: certificate, forwardedCertificate: stranger },
      'allowed',
    ],
    ['what a client writes of one is none', { forwardedCertificate: certificate }, 'missing_credential'],
    [
      'nor in place of the one that it has',
      { clientCertificate: stranger, forwardedCertificate: certificate },
      'invalid_credential',
    ],
  ])('%s', async (_, shown, reason) => {
    expect((await gate(false).ask(shown)).reason).toBe(reason)
  })
})
