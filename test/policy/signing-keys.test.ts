/** Keys that sign identity tokens are read from where the policy says. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../policy/parse.ts'

/** The least that a policy holds, after `head`. */
const withHead = (head: string) =>
  `${head}\nversion: 1\nplans: { free: {} }\ntenants: { a: { plan: free } }\nroutes: [{ name: all, match: { path: /** } }]`

describe('keys that sign identity tokens', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const text = (keys: string) =>
    withHead(`identity: { token: { issuer: gw, audience: backends, algorithm: EdDSA, keys: ${keys} } }`)

  it('come from a file or from the environment, in the order of the policy', () => {
    const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const readFile = () => ({ text: pem })
    const options = { file: '/policy.yaml', readFile, env: { OTHER: other } }
    const parsed = parsePolicy(text('[{ env: OTHER }, { file: signing.pem }]'), options)
    expect(parsed.ok && parsed.parts.head.identity.token?.keys).toEqual([other, pem.trimEnd()])
    expect(parsed.files).toEqual(['/signing.pem'])
  })

  it('are a part of the version, so that a new key is a new policy', () => {
    const versions = [pem, `${pem}\n`].map((content) => {
      const options = { file: '/policy.yaml', readFile: () => ({ text: content }), env: {} }
      const parsed = parsePolicy(text('[{ file: signing.pem }]'), options)
      return parsed.ok && parsed.parts.head.version
    })
    expect(versions[0]).not.toBe(versions[1])
  })
})
