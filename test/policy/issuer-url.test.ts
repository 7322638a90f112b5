/** Which URLs a policy may have us ask. */
import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../policy/parse.ts'
import { addressKind } from '../../stores/remote/address-kind.ts'

/** The least that a policy holds, after `head`. */
const withHead = (head: string) =>
  `${head}\nversion: 1\nplans: { free: {} }\ntenants: { a: { plan: free } }\nroutes: [{ name: all, match: { path: /** } }]`

function problemsOf(text: string): readonly string[] {
  const parsed = parsePolicy(text, { file: 'policy.yaml', readFile: () => ({ failure: 'does not exist' }), env: {} })
  return parsed.ok ? [] : parsed.problems.map(({ message }) => message)
}

describe('addresses of issuers', () => {
  const problemOf = (url: string, more = '') => {
    const issuer = `{ issuer: id, jwks: "${url}", audiences: [a], algorithms: [RS256], claims: { tenant: t }${more} }`
    return problemsOf(withHead(`issuers: [${issuer}]`))[0]
  }

  it.each([
    'https://id.example.com/k',
    'http://127.0.0.1:8080/k',
    'http://localhost/k',
    'http://[::1]:9/k',
    'https://1.1.1.1/k',
  ])('%s is asked', (url) => {
    expect(problemOf(url)).toBe(undefined)
  })

  it.each([
    'https://10.0.0.1/k',
    'https://0x0a.1/k',
    'https://172.31.0.1/k',
    'https://192.168.1.1/k',
    'https://100.64.0.1/k',
    'https://127.0.0.2/k',
    'https://192.0.2.1/k',
    'https://[::ffff:10.0.0.1]/k',
    'https://[fd00:ec2::254]/k',
  ])('%s is asked only where the policy allows private addresses', (url) => {
    expect(problemOf(url)).toContain('has an address that is not on the internet')
    expect(problemOf(url, ', allowPrivateAddresses: true')).toBe(undefined)
  })

  it.each([
    'https://0.0.0.0/k',
    'https://224.0.0.1/k',
    'https://[::]/k',
    'https://[ff02::1]/k',
    'https://169.254.169.254/k',
    'https://[fe80::1]/k',
    'https://[::ffff:169.254.169.254]/k',
  ])('%s is never asked', (url) => {
    expect(problemOf(url, ', allowPrivateAddresses: true')).toContain('has an address that is never asked')
  })

  it('http is for loopback only, also where private addresses are allowed', () => {
    expect(problemOf('http://10.0.0.1/k', ', allowPrivateAddresses: true')).toContain('is not a URL that keys can be')
  })

  it('are told here as whoever connects will judge them', () => {
    const addresses = [
      ...['0.0.0.1', '9.9.9.9', '10.0.0.1', '100.63.0.1', '100.64.0.1', '100.128.0.1', '127.0.0.2', '128.0.0.1'],
      ...[
        '169.253.0.1',
        '169.254.0.1',
        '172.15.0.1',
        '172.16.0.1',
        '172.32.0.1',
        '192.0.0.1',
        '192.0.1.1',
        '192.0.2.1',
      ],
      ...['192.88.99.1', '192.168.0.1', '198.17.0.1', '198.18.0.1', '198.20.0.1', '198.51.100.1', '203.0.113.1'],
      ...['223.0.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '[::]', '[::2]', '[::ffff:8.8.8.8]'],
      ...['[::ffff:10.0.0.1]', '[::ffff:169.254.0.1]', '[100::1]', '[2001::1]', '[2001:200::1]', '[2001:db8::1]'],
      ...['[2002::1]', '[2606:4700::1]', '[3fff::1]', '[4000::1]', '[fc00::1]', '[fe80::1]', '[fec0::1]', '[ff02::1]'],
    ]
    for (const address of addresses) {
      const kind = addressKind(address.replaceAll(/[[\]]/g, ''))
      expect(problemOf(`https://${address}/k`) === undefined, address).toBe(kind === 'global')
      const isOpened = problemOf(`https://${address}/k`, ', allowPrivateAddresses: true') === undefined
      expect(isOpened, address).toBe(kind !== 'never')
    }
  })
})
