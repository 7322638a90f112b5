/** Who of an authority's clients may connect. */
import { describe, expect, it } from 'vitest'
import { compileClientNames } from '../../../../cli/service/tls/client-names.ts'
import { createAuthority } from '../../../support/certificates.ts'

const authority = createAuthority('names')
const named = (uris: string[], dnsNames: string[] = [], cn = 'envoy') =>
  authority.issue({ subject: [['CN', cn]], uris, dnsNames }).pem

describe('the names of clients', () => {
  it.each([
    ['envoy.example', named([], ['envoy.example']), true],
    ['Envoy.Example', named([], ['other.example', 'ENVOY.example']), true],
    ['envoy.example', named([], ['sub.envoy.example']), false],
    ['envoy.example', named([], ['*.example']), false],
    ['envoy.example', named([], [], 'envoy.example'), false],
    ['envoy.example', named(['envoy.example']), false],
    ['spiffe://acme.example/ns/edge/sa/envoy', named(['spiffe://acme.example/ns/edge/sa/envoy']), true],
    ['spiffe://acme.example/ns/*/sa/envoy', named(['spiffe://acme.example/ns/b/sa/envoy']), true],
    ['spiffe://acme.example/ns/*/sa/envoy', named(['spiffe://acme.example/ns/b/c/sa/envoy']), false],
    ['spiffe://acme.example/ns/**', named(['spiffe://acme.example/ns/b/c/sa/envoy']), true],
    ['spiffe://acme.example/ns/**', named(['spiffe://acme.example/nsx/b']), false],
    ['spiffe://acme.example/ns/**', named(['spiffe://acme.example/ns/../admin']), false],
    ['spiffe://acme.example/ns/**', named([], ['spiffe://acme.example/ns/b']), false],
    ['spiffe://acme.example/a', named(['spiffe://acme.example/b, URI:spiffe://acme.example/a']), false],
    ['envoy.example', named([]), false],
  ])('%s', (pattern, pem, isIt) => {
    expect(compileClientNames([pattern])(pem)).toBe(isIt)
    expect(compileClientNames(['elsewhere.example', pattern, pattern])(pem)).toBe(isIt)
  })
})
