/** Beyond loopback only with TLS client certificates: what is refused, and in which words. */
import { describe, expect, it } from 'vitest'
import { readServeOptions } from '../../cli/serve-options.ts'

const THREE = ['--tls-certificate', 'c.pem', '--tls-key', 'k.pem', '--tls-client-ca', 'ca.pem']
const BEYOND = ['--listen', '0.0.0.0:9001']
const read = (argv: readonly string[], env: Record<string, string> = {}) =>
  readServeOptions(['--policy', 'p', ...argv], env)

describe('the options of a listener beyond loopback', () => {
  it.each(['0.0.0.0:9001', '[::]:9001', '192.0.2.1:9001', '[fd00::2]:9001', '[::ffff:127.0.0.1]:9001'])(
    'are needed for %s, and named where they are missing',
    (address) => {
      expect(read(['--listen', 'unix:/a.sock', '--listen', address])).toEqual({
        ok: false,
        wrong: 'input',
        problem: expect.stringMatching(
          /^serve: --listen: .* --tls-certificate FILE, --tls-key FILE and --tls-client-ca FILE/,
        ),
      })
      const files = { certificate: 'c.pem', key: 'k.pem', clientCa: 'ca.pem' }
      expect(read(['--listen', address, ...THREE])).toMatchObject({ options: { tls: { files, clientNames: [] } } })
    },
  )

  it('are not needed for what is of this machine alone', () => {
    const answer = read(['--listen', '127.3.2.1:9001', '--listen', '[::1]:9001', '--listen', 'unix:/a.sock'])
    expect(answer).toMatchObject({ ok: true, options: { tls: undefined } })
  })

  it('have twins in the environment; names are separated by commas there', () => {
    const env = {
      TENANTGATE_TLS_CERTIFICATE: 'c',
      TENANTGATE_TLS_KEY: 'k',
      TENANTGATE_TLS_CLIENT_CA: 'a',
      TENANTGATE_TLS_CLIENT_NAME: 'envoy.example, spiffe://acme.example/ns/*/sa/envoy',
    }
    const clientNames = ['envoy.example', 'spiffe://acme.example/ns/*/sa/envoy']
    expect(read(BEYOND, env)).toMatchObject({ options: { tls: { files: { key: 'k' }, clientNames } } })
  })

  it.each([
    [[...BEYOND, ...THREE.slice(0, 2)], '--tls-certificate needs --tls-key and --tls-client-ca too'],
    [[...BEYOND, ...THREE.slice(0, 4)], '--tls-certificate needs --tls-client-ca too'],
    [[...BEYOND, '--tls-client-name', 'a.example'], '--tls-client-name needs --tls-certificate and'],
    [THREE, '--tls-certificate is for addresses beyond loopback, and --listen names none'],
    [[...BEYOND, ...THREE, '--tls-client-name', '*.example'], "'*.example' is neither a DNS name"],
    [[...BEYOND, ...THREE, '--tls-client-name', ''], "'' is neither a DNS name"],
    [[...BEYOND, ...THREE, '--tls-client-name', '10.0.0.1'], "--tls-client-name: '10.0.0.1' is an IP address"],
    [[...BEYOND, ...THREE, '--tls-client-name', '::1'], "--tls-client-name: '::1' is an IP address"],
    [[...BEYOND, ...THREE, '--tls-client-name', 'fd00::2'], "--tls-client-name: 'fd00::2' is an IP address"],
    [[...BEYOND, ...THREE, '--tls-client-name', 'spiffe://acme.example/ns/e*'], 'a wildcard that is no whole segment'],
    [[...BEYOND, ...THREE, '--tls-client-name', 'spiffe://ACME.example/a'], 'a host in upper case'],
  ])('wrong use is told: %j', (argv, words) => {
    expect(read(argv)).toEqual({ ok: false, wrong: 'use', problem: expect.stringContaining(words) })
  })
})
