/** What a request shows in `Authorization`, whatever the policy looks for there. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { presentedCredentials } from '../../../core/credentials/present.ts'
import { isRefusal } from '../../../core/credentials/verdict.ts'
import type { Source } from '../../../core/policy.ts'
import { policyOf, requestOf } from '../../support/gate.ts'

const base = policyOf(`
version: 1
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro } }
routes: [{ name: all, match: { path: /** } }]
`)

const SOURCES: readonly (readonly Source[])[] = [
  ['apiKey'],
  ['jwt'],
  ['jwt', 'apiKey'],
  ['jwt', 'opaqueToken'],
  ['opaqueToken'],
  ['jwt', 'opaqueToken', 'apiKey'],
]
const POLICIES = SOURCES.map((sources) => {
  const apiKey = { ...base.identity.apiKey, bearer: true }
  return { sources, policy: { ...base, identity: { ...base.identity, sources, apiKey } } }
})

/** RFC 6750 §2.1, the scheme in any case (RFC 9110 §11.1). */
const WELL_FORMED = /^bearer +[A-Za-z0-9._~+/-]+=* *$/i

const characters = fc.constantFrom(...'aZ09._~+/-= \t"\'\u0000\u00a0ä,;:tg_', 'Bearer ', 'a.b.c', 'tg_live_x')
const values = fc
  .tuple(
    fc.constantFrom('Bearer ', 'bearer ', 'BEARER  ', 'Bearer', 'Bearer\t'),
    fc.array(characters, { maxLength: 8 }),
  )
  .map(([scheme, rest]) => scheme + rest.join(''))

describe('a value that begins as a Bearer credential does', () => {
  it.each(POLICIES)(
    'and is none of RFC 6750 is refused, or verified as the JWT that it is not: $sources',
    ({ policy }) => {
      fc.assert(
        fc.property(values, (authorization) => {
          const shown = presentedCredentials(requestOf({ headers: { authorization } }), policy)
          if (isRefusal(shown)) return true
          // of another scheme, such as `BearerX`: the backend's business
          if (!/^bearer(?![\w!#$%&'*+.^`|~-])/i.test(authorization)) return shown.length === 0
          return WELL_FORMED.test(authorization) || (shown.length === 1 && shown[0]?.kind === 'jwt')
        }),
        { numRuns: 3000 },
      )
    },
  )

  it.each(POLICIES)('and is one is not refused, and its token is shown as it is: $sources', ({ policy }) => {
    const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,40}={0,2}$/)
    fc.assert(
      fc.property(token, fc.constantFrom('Bearer ', 'bearer ', 'BEARER  '), (text, scheme) => {
        const shown = presentedCredentials(requestOf({ headers: { authorization: scheme + text } }), policy)
        if (isRefusal(shown)) return false
        return shown.every((one) => ('token' in one ? one.token : 'key' in one && one.key) === text)
      }),
    )
  })

  it('beside a good key is refused also where keys alone are looked for', () => {
    const [keysOnly] = POLICIES
    if (!keysOnly) throw new Error('there are policies')
    for (const text of ['\tB', '"B"', '=B', '\u00a0', 'tg_x"', 'B\t']) {
      const headers = { 'x-api-key': 'A', authorization: `Bearer ${text}` }
      expect(presentedCredentials(requestOf({ headers }), keysOnly.policy)).toMatchObject({
        denied: 'invalid_credential',
      })
    }
  })
})
