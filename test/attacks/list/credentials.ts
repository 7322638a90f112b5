/** Credentials: tokens, the keys of issuers, API keys, certificates, opaque tokens, claims of the gateway. */
import { ASK, CLAIMS, ISSUER, JWKS, JWT, type Theme } from './attack.ts'

const OPAQUE = 'core/credentials/tokens/opaque-token.test.ts'

export const tokens: Theme = {
  theme: '1. Tokens',
  attacks: [
    {
      attack: '`alg` none in every spelling, empty, missing, in a list',
      cases: [/^(an )?alg /, /algs?\b.*: refused$/],
      tests: { [JWT]: ['alg %s, with and without a signature', 'nOnE'] },
    },
    {
      attack: 'another algorithm than the policy allows, or than the key has',
      cases: [
        /naming the .* key/,
        'SHA-1 in the place of SHA-256: refused',
        /by an algorithm that the policy does not allow/,
      ],
      tests: { [JWT]: ['an RS256 token that calls itself %s', 'PS256'] },
    },
    {
      attack: "another issuer's key or secret",
      cases: [
        /of another issuer: refused$/,
        /by the key of another: refused$/,
        /one issuer's key/,
        /issuer of one tenant for the issuer of all/,
      ],
      tests: { [JWT]: ['a key of another issuer of the same policy'] },
    },
    {
      attack: '`kid` as path, SQL, command, list, object, number, 4 kB, `__proto__`',
      cases: [/kid/],
      tests: { [JWT]: ['two keys of the same kid', 'a token without kid'] },
    },
    { attack: '`jwk`, `jku`, `x5u`, `x5c` in the header', cases: [/ in jwk/, /by jku/, /by x5u/, /in x5c/] },
    { attack: '`crit` and `b64`', cases: [/crit/, /b64 false/], tests: { [JWT]: ['b64 false without crit'] } },
    {
      attack: 'a claim or header twice, also by an escape or deep inside',
      cases: [/twice/],
      tests: { [CLAIMS]: ['something twice, deep inside', 'a header that names two algorithms'] },
    },
    {
      attack: '`exp`, `nbf`, `iat` of other types, infinite, missing, in the future',
      cases: [/^exp /, /^nbf /, /^iat /, 'a token without an expiry is refused', 'a token before its time is refused'],
      tests: { [CLAIMS]: ['without exp a token would be good for ever'] },
    },
    {
      attack: 'the clock skew, to the second',
      cases: [/clock that is off/, 'an expired token is told so'],
      tests: { [CLAIMS]: ['the skew is forgiven to the second'] },
    },
    {
      attack: '`aud` missing, empty, of others, as object, in another case',
      cases: [/\bauds?\b.*: refused$/, 'a token for another audience is refused'],
      tests: { [CLAIMS]: ['no aud at all'] },
    },
    {
      attack: '`iss` with a slash, in capitals, in a list, missing, `__proto__`',
      cases: [/^iss /, /^no iss/, /the iss /, /issuer that the policy does not name/],
    },
    {
      attack: 'a tenant of another type, empty, with hidden or control characters, endless',
      cases: [/tenant.*genuinely signed/, 'a token whose tenant is no text is refused'],
    },
    {
      attack: "a tenant that looks like another's: capitals, look-alikes, wide letters, paths, lists",
      cases: [/: no tenant$/],
      tests: { [CLAIMS]: ['a letter that only looks like its own'] },
    },
    {
      attack: 'an issuer that speaks for a tenant that is not its own',
      cases: ['and for nobody else', "a token without a tenant has none, not even on a tenant's host"],
    },
    {
      attack: 'a user, role or scope that breaks out of its header',
      cases: [
        /^a user (with|written)/,
        /^a role/,
        /^a scope/,
        /^an object for roles/,
        /^scopes with/,
        '300 roles, genuinely signed: refused',
      ],
    },
    { attack: 'roles out of a prototype, or out of a claim that the policy does not name', cases: [/: no admin$/] },
    {
      attack: '16 KB, deep JSON, JSON that ends too soon, lists and null for objects',
      cases: [
        'a token that is longer than any is refused',
        '2,500 lists in each other: refused',
        /^claims that end/,
        /^a list for/,
        /^null for claims/,
      ],
      tests: { [JWT]: ['16 KB, refused before', 'claims 1,000 levels deep', 'bytes that are not UTF-8'] },
    },
    {
      attack: "other spellings: padding, base64's other alphabet, unused bits, two and four parts",
      cases: [
        /^padding/,
        /other alphabet/,
        /another spelling/,
        /^no signature part/,
        /^four parts/,
        /^no header/,
        /^three empty parts/,
      ],
      tests: { [JWT]: ['a token has one spelling'] },
    },
    {
      attack: 'JSON serialization, a token in a token, an encrypted token',
      cases: ['a token as JSON: refused', 'a genuine token as the payload: refused', /^five parts/],
    },
    {
      attack: 'signatures of zeros, of the wrong length, of half a MAC, of another token',
      cases: [/signature.*: refused/, 'half of a genuine MAC: refused'],
    },
    {
      attack: 'a token in the query, a cookie, a trailer, another header',
      cases: [/^a token in the /, /^a token in Proxy-Authorization/],
    },
    {
      attack: 'a bad token beside a good key, and two tokens',
      cases: [/beside a good key/, 'two tokens are one too many', /adds no right$/],
    },
    {
      attack: 'a token that was verified before, after its end, under old keys, of an old policy',
      tests: {
        'core/credentials/tokens/jwt.test.ts': ['is answered in the same tick, until it expires'],
        [ISSUER]: ['also those that were good before'],
      },
    },
    {
      attack: 'an opaque token: inactive, of another audience or issuer, odd answers, a slow endpoint',
      cases: [
        /^one that is not active/,
        /^an endpoint speaks/,
        'one for another audience is refused',
        /^while the endpoint/,
      ],
      tests: {
        [OPAQUE]: [
          'that has ended',
          'of another issuer',
          'must be for one of our audiences',
          'an odd yes',
          'yes and no',
          'an endpoint that hangs',
        ],
      },
    },
    {
      attack: 'claims of the gateway that nobody verified, or that say another thing than the token',
      tests: {
        'core/credentials/tokens/gateway-claims.test.ts': [
          'of an issuer whose tokens the gateway does not verify mean nothing',
          'of another tenant',
          'of two tokens are ambiguous',
        ],
        'envoy/verified-claims.test.ts': ['without a signature', 'may not speak for is refused'],
      },
    },
  ],
}

export const issuers: Theme = {
  theme: '2. Keys of issuers',
  attacks: [
    {
      attack: 'a storm of unknown `kid`s',
      tests: { [ISSUER]: ['a storm of 1,000, all different', 'a storm while the issuer hangs'] },
    },
    {
      attack: 'slow, oversize, redirecting answers, and pages that are no keys',
      tests: {
        [ASK]: ['one that is too large', 'one that comes too late', 'is not followed'],
        [ISSUER]: ['a page', 'a redirect', '101 keys'],
      },
    },
    {
      attack: 'SSRF: private, loopback, link-local and metadata addresses, DNS rebinding',
      tests: {
        [ASK]: ['an address from the inside is never connected to', '(DNS rebinding)', 'link-local not even then'],
        'policy/issuer-url.test.ts': ['%s is never asked', 'only where the policy allows private addresses'],
      },
    },
    {
      attack: 'a removed key, and an issuer that is away for too long',
      tests: {
        [ISSUER]: ['removes one: tokens of it are refused', 'removes one while nobody calls'],
        'core/credentials/tokens/jwt.test.ts': ['up to a bound, then nothing is believed'],
      },
    },
    {
      attack: '`oct` keys, RSA of 1024 bits, exponent 1, points off their curve, private halves',
      tests: {
        [JWKS]: [
          'a symmetric key',
          'an RSA key of 1024 bits',
          'with the exponent 1',
          'not on its curve',
          'with its private half',
        ],
      },
    },
    { attack: "one tenant's issuer that hangs", tests: { [ISSUER]: ['one that hangs holds up its own tokens only'] } },
  ],
}

export const apiKeys: Theme = {
  theme: '3. API keys and certificates',
  attacks: [
    {
      attack: 'the stored hash, other letters, other environments, parts and encodings of a key',
      cases: [/ is no key$/],
    },
    {
      attack: 'SQL, wildcards, queries, quotes, NUL, 4 kB, names that objects have',
      cases: [
        /^a piece of SQL/,
        /^a wildcard is no key/,
        /^a query of/,
        /^a name that objects have is no key/,
        /^a key with a NUL/,
        /^a text of 4 kB/,
      ],
      tests: { 'attacks/prototype-names.test.ts': ['is no key, and no token'] },
    },
    {
      attack: 'a key in the query, a cookie, a trailer, another scheme, an underscore twin',
      cases: [/^a key in (the query|a cookie|a trailer)/, /^another scheme/, /^an underscore twin/],
    },
    {
      attack: 'two keys: twice, joined, in two places, hidden by `Connection`',
      cases: [/^two keys/, /^a key in each/, /^the same key twice/],
    },
    {
      attack: 'an expired key, one before its time, one whose checksum is wrong',
      cases: [/^a key is over/, /^a key is refused before/, /^a key with a wrong checksum/],
    },
    {
      attack: 'a revoked credential of any kind, also one that was seen before',
      cases: [/^a revoked (key|credential)/, 'also a token that was verified before, at every use', /issued before/],
      tests: {
        'core/credentials/authenticate-revoked.test.ts': [
          'is refused: %s, also one that was verified before',
          'at which another key has taken its place',
        ],
        'stores/records/credential-records.test.ts': ['is revoked by its id, in its tenant alone'],
        'cli/service/administration.test.ts': [
          'once its id, its subject or its tenant is revoked',
          'after `keys revoke`',
        ],
      },
    },
    {
      attack: 'guessing from one address',
      cases: [/^guessing/],
      tests: {
        'core/credentials/authenticate.test.ts': ['an address that has failed too often'],
        'stores/failed-credentials.test.ts': ['a flood of addresses'],
      },
    },
    {
      attack: 'a flood of bad credentials that pushes good ones out of memory',
      tests: {
        'core/credentials/tokens/refused-tokens.test.ts': ['evicts no good one'],
        'stores/token-memory.test.ts': ['the memory of bad tokens'],
      },
    },
    {
      attack: 'a credential in an answer, a log line, an audit line or a list',
      cases: ['a malformed path is not repeated in the answer'],
      tests: {
        'telemetry/log.test.ts': ['no header of the request is ever in a line'],
        'admin/keys.test.ts': ['is told once: neither it nor a hash'],
        [JWT]: ['a refusal repeats nothing of the token'],
      },
    },
    {
      attack: "a certificate of another authority, expired, of two tenants, beside another tenant's key",
      cases: ['one of two tenants is refused', 'beside the key of another tenant it is refused'],
      tests: { 'envoy/client-certificates.test.ts': ['another authority', 'which has ended'] },
    },
    {
      attack: 'names of a certificate that break out of their place',
      tests: {
        'core/credentials/certificates/distinguished-name.test.ts': [
          'nobody becomes another by what stands in a value',
        ],
        'core/credentials/certificates/read-certificate.test.ts': ['a line break or separators in a value'],
      },
    },
    {
      attack: "a client's own `X-Forwarded-Client-Cert`, in every spelling",
      cases: [/^a client's x-forwarded-client-cert/],
      tests: {
        'envoy/client-certificates.test.ts': ['takes a client’s own %s away', 'x_forwarded_client_cert'],
        'kong/guard/before.test.ts': ['X-Forwarded-Client-Cert', '%s in every spelling'],
      },
    },
  ],
}
