/** Each way to write a bad policy, one fixture per fault: where it is told, and in what words. */
import { generateKeyPairSync } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { loadPolicy } from '../../policy/load.ts'
import type { Problem } from '../../policy/problem.ts'
import { type BustedCase, FLAG_CASES } from './busted-flags.ts'

const folder = join(packageRoot, 'test', 'fixtures', 'policy')

function newKeyOf(namedCurve: string, type: 'pkcs8' | 'sec1'): string {
  return generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type, format: 'pem' }).toString()
}

const env = {
  INTERNAL_SECRET: 'not-a-real-secret-but-long-enough',
  SHORT_SECRET: 'hunter2',
  EMPTY_SECRET: '',
  P256_KEY: newKeyOf('P-256', 'pkcs8'),
  P384_KEY: newKeyOf('P-384', 'pkcs8'),
  SEC1_KEY: newKeyOf('P-256', 'sec1'),
}

function problemsOf(fixture: string): readonly Problem[] {
  const loaded = loadPolicy(join(folder, fixture), env)
  return loaded.ok ? [] : loaded.problems
}

const CASES: readonly BustedCase[] = [
  ...FLAG_CASES,
  ['alias-bomb', 1, '', 'uses one anchor too often: aliases may stand for 100 nodes a'],
  ['alias-to-itself', 6, 'tenants.acme.hosts[0]', 'is a map'],
  ['alias-without-anchor', 6, 'tenants.acme', 'has no anchor `&nobody` before it'],
  ['anonymous-limit-by-tenant', 12, 'routes[0].limits[0].by', 'an anonymous route knows nobody to count by'],
  ['anonymous-with-scopes', 12, 'routes[0].require', 'an anonymous route cannot require scopes or roles'],
  ['api-key-header', 11, 'identity.apiKey.header', 'is a header that an API key cannot be read from'],
  ['api-key-header-underscore', 11, 'identity.apiKey.header', 'is a header that an API key cannot be read from'],
  ['api-key-roles', 11, 'tenants.acme.apiKeys[0].roles', 'has too many entries; 256 or fewer'],
  ['billing-day', 6, 'tenants.acme.billingDay', 'is above 31; 31 or less'],
  ['billing-month', 6, 'tenants.acme.billingMonth', 'is a text'],
  ['burst-of-quota', 4, 'plans.free.limits[0].burst', '`burst` belongs to a rate'],
  ['burst-too-exact', 4, 'plans.free.limits[0].burst', 'to be counted exactly'],
  ['certificate-dns', 9, 'tenants.acme.certificates[0].dns', 'is not a host name or wildcard'],
  ['certificate-of-two-names', 9, 'tenants.acme.certificates[0]', 'needs exactly one of `uri`, `dns` and `subject`'],
  ['certificate-scopes', 11, 'tenants.acme.certificates[0].scopes', 'has too many entries; 256 or fewer'],
  ['certificate-subject', 9, 'tenants.acme.certificates[0].subject', 'is not a subject in the form of RFC 4514'],
  ['certificate-uri', 9, 'tenants.acme.certificates[0].uri', 'is not a URI'],
  [
    'certificate-uri-half-wildcard',
    9,
    'tenants.acme.certificates[0].uri',
    'has a wildcard that is no whole segment of the path',
  ],
  ['certificate-uri-in-upper-case', 9, 'tenants.acme.certificates[0].uri', 'has a host in upper case'],
  [
    'certificate-uri-wildcard',
    9,
    'tenants.acme.certificates[0].uri',
    'has a wildcard that is no whole segment of the path',
  ],
  ['certificate-without-name', 9, 'tenants.acme.certificates[0]', 'needs exactly one of `uri`, `dns` and `subject`'],
  [
    'certificate-without-source',
    8,
    'tenants.acme.certificates',
    'is not looked at, because `identity.sources` does not name clientCerti',
  ],
  ['clock-skew', 17, 'issuers[0].clockSkew', 'is more than five minutes'],
  ['consumer', 6, 'tenants.acme.consumer', 'is not the name of a consumer'],
  ['cost-above-burst', 11, 'routes[0].cost', 'a cost of 11 is above the burst 10 of limit `burst`, so that'],
  ['cost-above-own-limit', 11, 'routes[0].cost', 'a cost of 3 is above the burst 2 of limit `dear`, so that th'],
  ['cost-above-weekly-quota', 10, 'routes[0].cost', 'a cost of 21 is above the quota 20 of limit `weekly`, so that'],
  ['cost-above-quota', 10, 'routes[0].cost', 'a cost of 21 is above the quota 20 of limit `daily`, so that'],
  ['counted-by', 4, 'plans.free.limits[0].by[0]', 'cannot be counted by'],
  ['date-that-does-not-exist', 8, 'tenants.acme.apiKeys[0].expiresAt', 'is not a date-time of RFC 3339 with an offset'],
  ['date-without-offset', 8, 'tenants.acme.apiKeys[0].expiresAt', 'is not a date-time of RFC 3339 with an offset'],
  ['delay', 4, 'plans.free.limits[0].delay', 'is not between 1ms and 5s; `1ms` to `5s`'],
  ['delay-in-shadow', 4, 'plans.free.limits[0].delay', 'a limit in shadow delays nobody'],
  ['delay-of-bytes', 4, 'plans.free.limits[0].delay', 'only requests can wait, and this limit counts something else'],
  ['delay-of-quota', 4, 'plans.free.limits[0].delay', '`delay` belongs to a rate; nobody waits for the next window'],
  ['delay-without-unit', 4, 'plans.free.limits[0].delay', 'is not a duration; a duration such as `1ms`'],
  ['duplicate-alias', 6, 'tenants.acme.aliases[0]', 'this name of a tenant is taken already (see line 7)'],
  ['duplicate-api-key-hash', 11, 'tenants.globex.apiKeys[0].hash', 'this API key is taken already (see line 8)'],
  ['duplicate-api-key-id', 10, 'tenants.acme.apiKeys[1].id', 'this key id is taken already (see line 9)'],
  [
    'duplicate-certificate',
    7,
    'tenants.globex.certificates[0].subject',
    'this name of certificates is taken already (see line 6)',
  ],
  ['duplicate-certificate-id', 9, 'tenants.acme.certificates[0].id', 'this id is taken already (see line 8)'],
  ['duplicate-host', 7, 'tenants.globex.hosts[0]', 'this host is taken already (see line 6)'],
  ['duplicate-issuer', 17, 'issuers[1].issuer', 'this issuer is there already (see line 12)'],
  ['duplicate-limit', 4, 'plans.free.limits[1].name', 'a limit named `burst` stands in this list already'],
  ['duplicate-map-key', 4, 'upstreams', 'stands there twice (see line 3)'],
  ['duplicate-route-name', 11, 'routes[1].name', 'a route is named `orders` already (see line 9)'],
  ['duplicate-tenant', 8, 'tenants.acme', 'stands there twice (see line 6)'],
  ['empty', 1, '', 'is empty'],
  ['expired-before-valid', 8, 'tenants.acme.apiKeys[0].expiresAt', 'is not after `notBefore`'],
  ['failed-credentials', 11, 'identity.failedCredentials', 'is neither a limit nor `off`'],
  [
    'failed-credentials-key',
    11,
    'identity.failedCredentials.rates',
    'is not a key that is known here; did you mean `rate`?',
  ],
  ['failed-credentials-rate', 11, 'identity.failedCredentials.rate', 'is not a rate'],
  [
    'failed-credentials-too-exact',
    11,
    'identity.failedCredentials.burst',
    'is too large a burst over too long a period to be counted exactly',
  ],
  ['gateway-with-token-type', 15, 'issuers[0].tokenType', 'belongs to `jwks` and `secret`: here we read no `typ`'],
  [
    'header-attribute-of-nobody',
    12,
    'identity.headers.x-tenant-region',
    'there is no attribute `regoin`; did you mean `region`',
  ],
  ['header-claim', 11, 'identity.headers.x-user-email.claim', 'is empty'],
  ['header-not-trusted', 11, 'identity.headers.x-email', 'is not the name of a trusted header'],
  ['header-of-ours', 11, 'identity.headers.X_Tenant_Id', 'is a header that the gateway sets itself'],
  ['header-of-the-token', 11, 'identity.headers.x-tenantgate-identity', 'is a header that the gateway sets itself'],
  ['header-twice', 11, 'identity.headers.X-User-Email', 'stands there already in another case'],
  ['header-value', 11, 'identity.headers.x-user-email', 'is not where a value comes from'],
  ['header-with-underscore', 11, 'identity.headers.x-user-e_mail', 'is not the name of a trusted header'],
  ['host-under-suffix', 6, 'tenants.acme.hosts[0]', 'stands under `identity.host.suffix`, where the id names the '],
  ['host-with-port', 6, 'tenants.acme.hosts[0]', 'is not a host name'],
  [
    'introspection-at-private-address',
    14,
    'issuers[0].introspection.url',
    'has an address that is not on the internet',
  ],
  ['introspection-cache', 14, 'issuers[0].introspection.cacheFor', 'is not between 1s and 5m'],
  ['introspection-client-auth', 14, 'issuers[0].introspection.clientAuth', 'is not a value that is known here'],
  ['introspection-no-url', 14, 'issuers[0].introspection.url', 'is not a URL that tokens can be sent to'],
  ['introspection-over-http', 14, 'issuers[0].introspection.url', 'is not a URL that tokens can be sent to'],
  ['introspection-secret-empty', 14, 'issuers[0].introspection.clientSecret', 'the secret there is empty'],
  [
    'introspection-secret-in-the-file',
    14,
    'issuers[0].introspection.clientSecret',
    'a secret is never written in a policy',
  ],
  [
    'introspection-twice',
    17,
    'issuers[1].introspection',
    'an opaque token does not say whose it is, and another issuer is asked ',
  ],
  [
    'introspection-with-algorithms',
    15,
    'issuers[0].algorithms',
    'belongs to `jwks` and `secret`: here we verify no signature',
  ],
  ['introspection-without-client', 12, 'issuers[0].introspection.clientId', 'is missing'],
  [
    'introspection-without-source',
    13,
    'issuers[0].introspection',
    'is not looked at, because `identity.sources` does not name opaqueToken',
  ],
  ['issuer-of-two-kinds', 12, 'issuers[0]', 'needs exactly one of `jwks`, `secret`, `introspection` and `verifiedBy'],
  ['jwks-at-link-local-address', 13, 'issuers[0].jwks', 'has an address that is never asked, such as a link-local one'],
  ['jwks-at-private-address', 13, 'issuers[0].jwks', 'has an address that is not on the internet'],
  ['jwks-file-not-json', 13, 'issuers[0].jwks', 'the key file is not a JWKS: JSON with a list of `keys`'],
  [
    'jwks-file-with-symmetric-key',
    13,
    'issuers[0].jwks',
    'the key file has a symmetric key at keys[0]; use `secret` fo',
  ],
  ['jwks-file-with-unreadable-key', 13, 'issuers[0].jwks', 'the key file has a key that cannot be read: keys[0]'],
  ['jwks-over-http', 13, 'issuers[0].jwks', 'is not a URL that keys can be trusted from'],
  ['jwks-with-password', 13, 'issuers[0].jwks', 'is not a URL that keys can be trusted from'],
  ['key-instead-of-hash', 10, 'tenants.acme.apiKeys[0].hash', 'is not the hash of a key'],
  ['limit-of-two-kinds', 4, 'plans.free.limits[0]', 'needs exactly one of `rate`, `quota`'],
  ['list', 1, '', 'is a list'],
  ['merge-key', 7, 'tenants.globex["<<"]', 'merges maps, which a policy does not know'],
  ['method-in-lower-case', 10, 'routes[0].match.methods[0]', 'is not in upper case'],
  ['missing-jwks-file', 13, 'issuers[0].jwks', 'the key file `no-such-jwks.json` does not exist'],
  ['missing-version', 1, 'version', 'is missing'],
  ['nested-attribute', 6, 'tenants.acme.attributes.beta', 'is not a plain value'],
  ['no-algorithms', 12, 'issuers[0].algorithms', 'is missing'],
  ['no-audiences', 12, 'issuers[0].audiences', 'is missing'],
  ['no-keys', 12, 'issuers[0]', 'needs exactly one of `jwks`, `secret`, `introspection` and `verifiedBy`'],
  ['no-routes', 8, 'routes', 'is empty'],
  ['no-tenant-claim', 12, 'issuers[0].claims', 'no claim names the tenant'],
  ['not-yaml', 2, '', 'is not YAML: the indentation does not fit, or a bracket is n'],
  ['number-as-tenant', 6, 'tenants.0123', 'is a key that does not read as text'],
  ['number-for-text', 6, 'tenants.acme.plan', 'is a number'],
  [
    'on-store-failure',
    4,
    'plans.free.limits[0].onStoreFailure',
    'is not a value that is known here; `local` or `allow`',
  ],
  ['exact-of-unlimited', 6, 'tenants.acme.limits[0].exact', 'there is no limit left that could be exact'],
  ['only-comments', 1, '', 'is empty'],
  ['opaque-token-without-issuer', 11, 'identity.sources[1]', 'no issuer can be asked about opaque tokens'],
  [
    'own-attribute-header',
    6,
    'tenants.acme.attributes["header:x-app"]',
    'is what the gateway itself tells of a request',
  ],
  ['own-attribute', 6, 'tenants.acme.attributes.plan', 'is what the gateway itself tells of a request'],
  ['path-dot-segment', 10, 'routes[0].match.path', 'has a dot segment'],
  ['path-double-slash', 10, 'routes[0].match.path', 'has an empty segment, which no request can match'],
  ['path-escape', 10, 'routes[0].match.path', 'holds a percent sign'],
  ['path-half-template', 10, 'routes[0].match.path', 'has a template that is not a whole segment'],
  ['path-parameter', 9, 'routes[0].match.path', 'holds a semicolon, which begins path parameters'],
  ['path-query', 10, 'routes[0].match.path', 'has a query or fragment, which routes do not see'],
  ['path-relative', 10, 'routes[0].match.path', 'does not begin with a slash'],
  ['path-wildcard-in-the-middle', 10, 'routes[0].match.path', 'has a wildcard in the middle'],
  ['private-addresses-of-a-file', 14, 'issuers[0].allowPrivateAddresses', 'belongs to a URL, and this issuer has none'],
  ['proto-tenant', 7, 'tenants.__proto__', 'may not be used as a key'],
  ['public-keys-with-hs256', 15, 'issuers[0].algorithms', 'HS256 needs a `secret`, not public keys'],
  ['quota', 4, 'plans.free.limits[0].quota', 'is not a quota; `N/hour`, `N/day`, `N/week`, `N/month`, `N/year`, or'],
  ['quota-of-centuries', 4, 'plans.free.limits[0].quota', 'has a period of more than a hundred years'],
  ['quota-of-no-period', 4, 'plans.free.limits[0].quota', 'is not a quota'],
  ['quota-per-second', 4, 'plans.free.limits[0].quota', 'is a rate and not a quota; `rate: 5/s`, or a quota such as'],
  ['rate-of-centuries', 4, 'plans.free.limits[0].rate', 'has a period of more than a hundred years; a shorter one'],
  ['rate', 4, 'plans.free.limits[0].rate', 'is not a rate'],
  ['ratelimit-config', 1, '', 'give `--ratelimit-config` the folder that it is in'],
  ['rotation-without-end', 11, 'tenants.acme.apiKeys[2].id', 'this key id is taken already (see line 10)'],
  ['scope-with-comma', 11, 'routes[0].require.scopes[0]', 'is not a scope'],
  ['secret-in-the-file', 13, 'issuers[0].secret', 'a secret is never written in a policy'],
  ['secret-not-set', 13, 'issuers[0].secret.env', 'the environment variable NO_SUCH_SECRET is not set'],
  ['secret-too-short', 13, 'issuers[0].secret', 'the secret is shorter than 32 bytes'],
  ['secret-with-public-key-algorithm', 15, 'issuers[0].algorithms', 'a `secret` verifies HS256 only'],
  ['shadow-of-unlimited', 6, 'tenants.acme.limits[0].mode', 'there is no limit left that could be in shadow'],
  [
    'shadow-route-of-nothing',
    11,
    'routes[0].mode',
    '`shadow` lets through what `require` refuses, and this route requires ',
  ],
  ['shadow-stage', 11, 'shadow[0]', 'is not a value that is known here'],
  ['source-unknown', 11, 'identity.sources[1]', 'is not a value that is known here'],
  ['state-ca-missing', 10, 'state.ca', 'the file `no-such-ca.pem` does not exist'],
  ['state-ca-no-pem', 10, 'state.ca', 'what stands there is not PEM'],
  ['state-ca-without-tls', 10, 'state.ca', '`ca` is for TLS, and `store` asks for none'],
  ['state-certificate-without-key', 10, 'state.certificate', 'a certificate is of no use without its `key`'],
  ['state-key-unknown', 10, 'state.stor', 'did you mean `store`?'],
  ['state-key-without-certificate', 10, 'state.key', 'a key is of no use without its `certificate`'],
  ['state-lease', 10, 'state.lease', 'is neither `off` nor a duration between 10ms and 10s'],
  ['state-password-in-the-file', 10, 'state.password', 'a secret is never written in a policy'],
  ['state-password-not-set', 10, 'state.password.env', 'the environment variable NO_SUCH_SECRET is not set'],
  ['state-password-of-memory', 10, 'state.password', '`password` belongs to a Redis, and `store` is memory'],
  ['state-prefix', 10, 'state.prefix', 'is nothing that keys may begin with'],
  ['state-prefix-twice', 10, 'state.prefix', 'the address in `store` has a prefix already'],
  ['state-sentinel-password', 10, 'state.sentinelPassword', '`store` names no sentinels'],
  ['state-stale-below-cache', 10, 'state.staleFor', 'is shorter than `cache`'],
  ['state-store', 10, 'state.store', 'names several hosts; write `redis+sentinel://'],
  ['state-store-unknown', 10, 'state.store', 'is not the address of a Redis; the forms are `redis://host:6379`'],
  ['state-store-with-password', 10, 'state.store', 'holds a name or a password; them in `username` and'],
  ['state-timeout', 10, 'state.timeout', 'is not between 1ms and 1s'],
  ['state-username-without-password', 10, 'state.username', 'a name alone opens nothing'],
  ['tab', 4, '', 'is not YAML: a tab indents; use spaces'],
  ['tag', 6, '', 'has a tag (`!…`), which a policy does not know'],
  ['time-zone', 6, 'tenants.acme.timezone', 'is not an IANA time zone'],
  ['token-algorithm', 12, 'identity.token.algorithm', 'is not a value that is known here'],
  ['token-key-in-the-file', 12, 'identity.token.keys[0]', 'a secret is never written in a policy'],
  ['token-key-no-key', 12, 'identity.token.keys[0]', 'is not a private key in PKCS #8 PEM'],
  ['token-key-not-set', 12, 'identity.token.keys[0].env', 'the environment variable NO_SUCH_SECRET is not set'],
  ['token-key-of-another-algorithm', 12, 'identity.token.keys[0]', 'is not a key for EdDSA'],
  ['token-key-of-another-curve', 12, 'identity.token.keys[0]', 'is not a key for ES256'],
  ['token-key-of-another-format', 12, 'identity.token.keys[0]', 'is not a private key in PKCS #8 PEM'],
  ['token-key-twice', 12, 'identity.token.keys[1]', 'is a key that stands there already (see line 12)'],
  ['token-keys-too-many', 11, 'identity.token.keys', 'has too many entries; 10 or fewer'],
  ['token-lifetime', 12, 'identity.token.lifetime', 'is not between 10s and 10m'],
  ['token-type', 14, 'issuers[0].tokenType', 'is not a type of tokens'],
  ['token-without-audience', 11, 'identity.token.audience', 'is missing'],
  ['two-documents', 2, '', 'holds more than one document; a policy is one'],
  ['two-equal-routes', 12, 'routes[1].match', 'could claim the same requests as route `by-id` with equal ri'],
  [
    'two-equal-versions',
    12,
    'routes[1].match',
    'could claim the same requests as route `orders` with equal right (see line 10)',
  ],
  ['unit', 4, 'plans.free.limits[0].unit', 'is not a unit'],
  ['unknown-issuer-tenant', 17, 'issuers[0].tenants[1]', 'there is no tenant `globx`; did you mean `globex`?'],
  ['unknown-key', 9, 'tenants.globex.apiKey', 'is not a key that is known here; did you mean `apiKeys`?'],
  ['unknown-nested-key', 11, 'routes[0].upstream.flg', 'is not a key that is known here; did you mean `flag`?'],
  ['unknown-plan', 6, 'tenants.acme.plan', 'there is no plan `fre`; did you mean `free`?'],
  ['unknown-upstream', 11, 'routes[0].upstream', 'there is no upstream `orders-stabel`; did you mean `orders-s'],
  [
    'limits-of-a-rotated-key',
    13,
    'tenants.acme.apiKeys[1].limits',
    'are not those of the other key of this id, and both count together',
  ],
  ['unlimited-key', 11, 'tenants.acme.apiKeys[0].limits[0].unlimited', 'only a tenant can remove a limit'],
  ['unlimited-in-a-plan', 4, 'plans.free.limits[0].unlimited', 'only a tenant can remove a limit'],
  [
    'unlimited-of-nothing',
    6,
    'tenants.acme.limits[0].name',
    'plan `free` has no limit `dayly` to remove; did you mean `da',
  ],
  ['upper-case-tenant', 6, 'tenants.Acme', 'is not a tenant id'],
  ['verified-by', 13, 'issuers[0].verifiedBy', 'is not a value that is known here'],
  ['version', 10, 'routes[0].match.versions[0]', 'is not one segment of a path'],
  ['versions-of-two-segments', 10, 'routes[0].match.versions', 'the path has the segment `{version}` more than once'],
  ['versions-without-segment', 10, 'routes[0].match.versions', 'the path has no segment `{version}`'],
  ['weighted-bytes', 4, 'plans.free.limits[0].weighted', "counts what is reported, and no route's cost"],
  ['wrong-type', 6, 'tenants.acme.hosts', 'is a text'],
  ['wrong-version', 2, 'version', 'is not a value that is known here'],
  ['yaml-1.1-bearer', 11, 'identity.apiKey.bearer', 'is a text'],
  ['yaml-1.1-boolean', 11, 'routes[0].anonymous', 'is a text'],
]

describe('a policy with one fault', () => {
  it.each(CASES)('busted-%s.yaml is refused at line %i, %s: %s', (fixture, line, path, words) => {
    const problems = problemsOf(`busted-${fixture}.yaml`)
    expect(problems).toHaveLength(1)
    const [problem] = problems
    expect(problem).toMatchObject({ file: join(folder, `busted-${fixture}.yaml`), line, path })
    expect(`${problem?.message}; ${problem?.fix ?? ''}`).toContain(words)
    expect(problem?.column).toBeGreaterThan(0)
  })

  it('has a fixture for every case and a case for every fixture', () => {
    const fixtures = readdirSync(folder).filter((name) => name.startsWith('busted-'))
    expect(fixtures.sort()).toEqual(CASES.map(([name]) => `busted-${name}.yaml`).sort())
  })

  it('never tells the value of a secret or of a key', () => {
    const bodies = [env.P256_KEY, env.P384_KEY, env.SEC1_KEY].map((pem) => pem.split('\n')[1] ?? '')
    for (const [fixture] of CASES) {
      const told = JSON.stringify(problemsOf(`busted-${fixture}.yaml`))
      expect(told).not.toMatch(/correct-horse|not-a-hash|hunter2|not-a-real-secret/)
      for (const body of bodies) expect(told).not.toContain(body)
    }
  })
})
