/** Advisories of products like this one, each with the request that was believed there. */
import { CLAIMS, JWT, type Theme } from './attack.ts'

export const advisories: Theme = {
  theme: 'Advisories of gateways and token libraries',
  attacks: [
    {
      attack: 'CVE-2026-32811: an escaped `?` that makes a rule miss',
      cases: [/CVE-2026-32811/],
      tests: { 'core/routes/canonical-path.test.ts': ['what is kept holds no dot segment'] },
    },
    {
      attack: 'CVE-2026-26205: `//host/path` read as a URL',
      cases: [/CVE-2026-26205/, /where a URL would have a host$/],
    },
    {
      attack: "CVE-2026-40575: a client's `X-Forwarded-Uri`",
      cases: [/CVE-2026-40575/, /^a client's x-forwarded-uri/],
    },
    {
      attack: 'CVE-2026-39858: `X_Forwarded_Proto`, an underscore for a hyphen',
      cases: [/^with underscores: /, /^a client's x-forwarded-/],
      tests: {
        'envoy/requests.test.ts': ['x_forwarded_for'],
        'kong/guard/before.test.ts': ['what a client must not say'],
      },
    },
    { attack: 'GHSA-6384-m2mw-rf54: `X-Forwarded-Prefix`', cases: [/^a client's x-forwarded-prefix/] },
    {
      attack: 'GHSA-6jwx-7vp4-9847: one path for the rule, another for the backend',
      cases: [/GHSA-6jwx-7vp4-9847/, 'a canonical path reaches the backend byte for byte'],
    },
    {
      attack: 'CVE-2026-31838, CVE-2026-26308: the first of several header values is judged',
      cases: [/^two keys/, /^two tokens are one too many/, 'the same key twice is no better'],
    },
    {
      attack: 'CVE-2025-48865, CVE-2025-64484: `Connection: x-tenant-id` takes ours away',
      cases: [
        /CVE-2025-48865/,
        /^several lines of Connection/,
        'a Connection header cannot take ours away from the backend',
      ],
      tests: { 'kong/guard/before.test.ts': ['close, X-Tenant-Id', 'Connection'] },
    },
    {
      attack: 'CVE-2026-39999: HS256 under a public key',
      cases: [/CVE-2026-39999/, 'an HS256 token with the public key for its secret is refused'],
      tests: { [JWT]: ['its PEM', 'its JWK', 'its modulus'] },
    },
    {
      attack: "CVE-2026-39998, CVE-2026-31908: a client's identity headers on the allowed and the anonymous path",
      cases: [/CVE-2026-39998/, /CVE-2026-31908/, /: gone on an anonymous route$/, /: gone on an optional route/],
    },
    {
      attack: 'CVE-2026-49230: a plugin that lets pass what it cannot read',
      cases: ['a scheme without a token is refused, also beside a good key', /^JSON|a token as JSON/],
      tests: { 'kong/guard/after.test.ts': ['without a mark nobody passes'] },
    },
    {
      attack: 'CVE-2026-22817, CVE-2026-22818: `alg` of the token where the key has none',
      cases: [/CVE-2026-22817/],
      tests: { [JWT]: ['(CVE-2026-22817)'] },
    },
    {
      attack: "CVE-2026-35039: one token's claims for another's, out of a cache",
      cases: [/CVE-2026-35039/],
      tests: { [JWT]: ['(CVE-2026-35039)'] },
    },
    {
      attack: 'CVE-2026-35042: `crit` that is not looked at',
      cases: [/CVE-2026-35042/, /crit/],
      tests: { [JWT]: ['(CVE-2026-35042)'] },
    },
    {
      attack: 'CVE-2022-23540, GHSA-869p-cjfg-cm3x: `none`, and a secret that the header chooses',
      cases: [/CVE-2022-23540/, /algorithm none/],
    },
    {
      attack: 'CVE-2024-28176, CVE-2023-50658: an encrypted token that costs memory or time',
      cases: [/CVE-2024-28176/, /CVE-2023-50658/],
      tests: { [JWT]: ['(CVE-2024-28176)'] },
    },
    {
      attack: 'CVE-2022-21449: an ECDSA signature of zeros',
      cases: [/CVE-2022-21449/],
      tests: { [JWT]: ['(CVE-2022-21449'] },
    },
    {
      attack: 'CVE-2018-0114: a token that brings its own key',
      cases: [/CVE-2018-0114/],
      tests: { [JWT]: ['(CVE-2018-0114)'] },
    },
    {
      attack: 'CVE-2024-48949: a second signature for the same token',
      cases: [/CVE-2024-48949/, 'another spelling of the same signature: refused'],
    },
    {
      attack: 'CVE-2020-14966: an ECDSA signature in DER',
      cases: ['an ECDSA signature in DER: refused'],
      tests: { [JWT]: ['(CVE-2020-14966)'] },
    },
    {
      attack: 'CVE-2019-9900, CVE-2019-9901: NUL in a header, a path that is not normalised',
      cases: [/CVE-2019-9900/, /NUL/, /`\.\.` segment/],
    },
    {
      attack: "Envoy's route cache: a header that sends an authorized request to another route",
      cases: [/^a client moves nothing/, 'nor where the route does', 'nor where the gateway does'],
      tests: { 'envoy/reference.test.ts': ['clear_route_cache: true'] },
    },
    {
      attack: 'RFC 9068: a token made for something else, by its `typ`',
      tests: { [CLAIMS]: ['where the policy asks for it (RFC 9068)'] },
    },
  ],
}
