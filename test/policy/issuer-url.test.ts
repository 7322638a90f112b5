/** Which URLs a policy may have us ask. */
import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../policy/parse.ts'

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
    'https://0.0.0.0/k',
    'https://255.255.255.255/k',
    'https://[::ffff:10.0.0.1]/k',
    'https://[fd00:ec2::254]/k',
    'https://[::]/k',
  ])('%s is asked only where the policy allows private addresses', (url) => {
    expect(problemOf(url)).toContain('has an address that is not on the internet')
    expect(problemOf(url, ', allowPrivateAddresses: true')).toBe(undefined)
  })

  it.each(['https://169.254.169.254/k', 'https://[fe80::1]/k', 'https://[::ffff:169.254.169.254]/k'])(
    '%s is never asked',
    (url) => {
      expect(problemOf(url, ', allowPrivateAddresses: true')).toContain('has a link-local address')
    },
  )

  it('http is for loopback only, also where private addresses are allowed', () => {
    expect(problemOf('http://10.0.0.1/k', ', allowPrivateAddresses: true')).toContain('is not a URL that keys can be')
  })
})
