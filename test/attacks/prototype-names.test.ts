/** Names that every object has (`__proto__`, `constructor`) are names like others, wherever a client or a policy can write one. */
import { describe, expect, it } from 'vitest'
import { claimAt } from '../../core/credentials/tokens/claims.ts'
import { headerOf } from '../../core/request.ts'
import { gateOf, newKey, policyOf, requestOf } from '../support/gate.ts'

const NAMES = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__', 'prototype']
/** What a tenant's id may be: small letters. */
const isId = (name: string) => /^[a-z]+$/.test(name)

const { key, hash } = newKey()

const policy = policyOf(`
version: 1
identity: { host: { suffix: .api.test } }
plans:
  free:
    limits:
      - { name: by-header, rate: 1/m, burst: 1, by: ["header:constructor"] }
tenants:
  acme: { plan: free, apiKeys: [{ id: ci, hash: "${hash}" }] }
upstreams: [stable, beta]
routes:
  - { name: plain, match: { path: /plain } }
  - { name: open, match: { path: /open }, anonymous: true }
  - { name: scoped, match: { path: /scoped }, require: { scopes: [constructor] } }
  - { name: ruled, match: { path: /ruled }, require: { anyRole: [constructor, toString] } }
`)

const asAcme = { 'x-api-key': key }
const reasonOf = async (path: string, more = {}) =>
  (await gateOf(policy).ask({ path, headers: { ...asAcme, ...more } })).reason

describe('a name that every object has', () => {
  it.each(NAMES)('%s is no tenant by its id, alias, host or key', (name) => {
    const { directory } = policy
    expect([
      directory.byId(name),
      directory.byName(name),
      directory.byHost(name),
      directory.apiKeyByHash(name),
    ]).toEqual([undefined, undefined, undefined, undefined])
  })

  it.each(NAMES)('%s is no key, and no token', async (name) => {
    const gate = gateOf(policy)
    expect(await gate.ask({ path: '/plain', headers: { 'x-api-key': name } })).toMatchObject({
      reason: 'invalid_credential',
    })
    expect(await gate.ask({ path: '/plain', headers: { authorization: `Bearer ${name}` } })).toMatchObject({
      reason: 'invalid_credential',
    })
  })

  it.each(NAMES)('%s under the suffix is the host of nobody', async (name) => {
    const gate = gateOf(policy)
    const host = `${name}.api.test`
    expect(await gate.ask({ path: '/plain', host, headers: asAcme })).toMatchObject({ reason: 'tenant_conflict' })
    expect(await gate.ask({ path: '/open', host })).not.toHaveProperty('tenant')
  })

  it.each(NAMES)('%s is a header only where it was sent', (name) => {
    expect(headerOf(requestOf({ headers: {} }), name)).toBeUndefined()
    const sent = requestOf({ headers: Object.fromEntries([[name, 'sent']]) })
    expect(headerOf(sent, name)).toBe('sent')
  })

  it.each(NAMES)('%s is a claim only where it was signed', (name) => {
    expect(claimAt({}, [name])).toBeUndefined()
    expect(claimAt({ org: {} }, ['org', name])).toBeUndefined()
    expect(claimAt({ org: 'acme' }, ['org', name])).toBeUndefined()
    expect(claimAt(JSON.parse(`{"${name}":"signed"}`), [name])).toBe('signed')
  })

  it('as a scope or a role is held by nobody who was not given it', async () => {
    expect(await reasonOf('/scoped')).toBe('insufficient_scope')
    expect(await reasonOf('/ruled')).toBe('insufficient_role')
  })

  it.each(NAMES)('%s as a segment of a path matches no route', async (name) => {
    expect(await reasonOf(`/${name}`)).toBe('no_matching_route')
    expect(await reasonOf(`/plain/${name}`)).toBe('no_matching_route')
  })

  it('as a header that a limit counts by is one bucket for those who send none', async () => {
    const gate = gateOf(policy)
    const ask = async (more = {}) => (await gate.ask({ path: '/plain', headers: { ...asAcme, ...more } })).reason
    expect([await ask(), await ask()]).toEqual(['allowed', 'rate_limited'])
    expect([await ask({ constructor: 'a' }), await ask({ constructor: 'a' })]).toEqual(['allowed', 'rate_limited'])
  })

  it.each(NAMES.filter((name) => name !== '__proto__'))(
    '%s may be the name of a tenant and of its attribute like any other, and of no flag',
    async (name) => {
      const tenant = isId(name) ? name : 'named'
      const own = newKey()
      const flagsOf = (
        flag: string,
      ) => `{"flags":{"${flag}":{"state":"ENABLED","variants":{"on":"beta","off":"stable"},"defaultVariant":"off",
      "targeting":{"if":[{"==":[{"var":"${name}"},true]},"on","off"]}}}}`
      const read = (flag: string) =>
        policyOf(
          `
version: 1
plans: { free: { limits: [] } }
tenants:
  ${tenant}: { plan: free, attributes: { ${name}: true }, apiKeys: [{ id: ci, hash: "${own.hash}" }] }
  acme: { plan: free, apiKeys: [{ id: ci, hash: "${hash}" }] }
upstreams: [stable, beta]
flags: flags.json
routes: [{ name: plain, match: { path: /plain }, upstream: { default: stable, flag: ${flag} } }]
`,
          { 'flags.json': flagsOf(flag) },
        )
      expect(() => read(name)).toThrow('is a name that every object has')
      const gate = gateOf(read('other'))
      const ask = (shown: string) => gate.ask({ path: '/plain', headers: { 'x-api-key': shown } })
      expect(await ask(own.key)).toMatchObject({ decision: 'allow', tenant, upstream: 'beta' })
      expect(await ask(key)).toMatchObject({ decision: 'allow', tenant: 'acme', upstream: 'stable' })
    },
  )

  it('__proto__ is no key that a policy may use', () => {
    const text = 'version: 1\nplans: { free: { limits: [] } }\nroutes: []\n'
    expect(() => policyOf(`${text}tenants: { __proto__: { plan: free } }`)).toThrow('may not be used as a key')
    const attribute = 'tenants: { acme: { plan: free, attributes: { __proto__: 1 } } }'
    expect(() => policyOf(`${text}${attribute}`)).toThrow('may not be used as a key')
  })
})
