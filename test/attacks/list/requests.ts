/** Requests: which tenant's they are, what their headers claim, which rule their path is for. */
import type { Theme } from './attack.ts'

export const hosts: Theme = {
  theme: '4. Tenants and hosts',
  attacks: [
    {
      attack: 'case, port and trailing dot',
      cases: [/with a port it/, /in capitals it/, /with a trailing dot it/, /with all of that it/],
    },
    {
      attack: 'empty labels, dots before and within, escapes, brackets, spaces, NUL, wildcards, no host at all',
      cases: [/ is no host$/, /^two trailing dots/],
    },
    {
      attack: 'user names, ports that are none, paths and queries in a host',
      cases: [/^a user/, /two ports/, /a port/, /a name with a (path|query|fragment|backslash) is no host/],
    },
    {
      attack: 'look-alikes: punycode, Cyrillic, ideographic dots',
      cases: [
        /punycode/,
        /^a name with (a hyphen|an underscore)/,
        /Cyrillic letter that looks/,
        /ideographic full stop, which/,
      ],
    },
    {
      attack: 'names that end or begin like ours, deeper labels, reserved labels, addresses',
      cases: [
        /a name that ends like/,
        /goes on after the suffix/,
        /a deeper label/,
        /a reserved label/,
        /an (IPv6 )?address/,
      ],
    },
    {
      attack: 'two Host lines, an absolute target, `:authority` and `host`',
      cases: [
        /two Host headers/,
        /two lines of Host/,
        /^a second host/,
        /^an absolute path/,
        /absolute target/,
        /Host beside the authority/,
        /the authority is the host/,
      ],
    },
    {
      attack: '`X-Forwarded-Host`, `Forwarded`, `X-Original-Host` and their like',
      cases: [/names no tenant \(CVE-2026-40575\)/, /X-Forwarded-Host/],
    },
    { attack: 'a key, a token and a host of different tenants', cases: [/conflict/] },
    { attack: 'a suspended tenant, and one that does not exist', cases: [/suspended/, /does not exist/] },
    {
      attack: 'names that every object has',
      cases: [/objects have/, /__proto__/, /constructor/],
      tests: {
        'attacks/prototype-names.test.ts': ['is no tenant by its id, alias, host or key', 'is the host of nobody'],
      },
    },
  ],
}

export const headers: Theme = {
  theme: '5. Headers',
  attacks: [
    {
      attack: 'identity headers in every spelling, once, twice, all at once',
      cases: [/: replaced by the truth for a (key|token)$/, /alone is no credential and no claim$/],
    },
    {
      attack: 'on anonymous, optional and shadow routes, HEAD, OPTIONS, POST, gRPC, WebSocket, refusals',
      cases: [/: gone on /, /what the client says of itself is gone$/, /^a client's own identity is replaced there/],
    },
    {
      attack: 'roles, scopes and a tenant that a client claims',
      cases: [/^roles and scopes that are claimed/, /^a tenant that is claimed/],
    },
    {
      attack: '`x-consumer-…`, forwarded and routing headers',
      cases: [
        /^a client's x-(consumer|credential|anonymous|authenticated|original|rewrite|real|http)/,
        /^a client's forwarded/,
      ],
    },
    {
      attack: 'a forged signed identity (`x-tenantgate-identity`)',
      cases: ['x-tenantgate-identity alone is no credential and no claim', /: replaced by the truth for a key$/],
      tests: { 'core/identity/token.test.ts': ['is verified by no other key', 'who has proven nothing has none'] },
    },
    {
      attack: 'a space or NUL before the colon, folded lines, bare CR and LF, control bytes, bytes beyond ASCII',
      cases: [/: no identity, and no way past one$/, /: nor beside a key$/],
    },
    { attack: 'more than 100 headers, or 60 kB', cases: [/^more than (100|60)/] },
    { attack: '`Connection` and `Proxy-Connection`', cases: [/Connection/] },
    { attack: 'trailers', cases: [/trailer/] },
    {
      attack: 'a request within a request: CL.TE, TE.CL, two lengths, odd codings and chunks',
      cases: [/no second request within the first$/, /^nor the length of a body/],
    },
    { attack: 'a second request on the connection of a proven one', cases: [/not for its connection$/] },
    {
      attack: 'HTTP/2',
      cases: [
        'what a client says of itself is replaced by the truth',
        'and gone on an anonymous route',
        'trailers bring no identity',
        /^a gRPC call/,
      ],
    },
    {
      attack: 'a header of ours with a line break in it',
      tests: {
        'envoy/answers.test.ts': ['a header value with a line break in it reaches nobody'],
        'kong/apply-decision.test.ts': ['is a fault when a trusted header would carry %j'],
      },
    },
    {
      attack: 'identity headers on the way back to the client',
      tests: {
        'envoy/backends.test.ts': ['a client is told neither identity headers'],
        'kong/guard/after.test.ts': ['identity headers are nobody’s'],
      },
    },
  ],
}

export const paths: Theme = {
  theme: '6. Paths and methods',
  attacks: [
    {
      attack: 'dot segments, plain, encoded, before `;`, with backslashes',
      cases: [/`\.\.?` segment/, /backslash/, /way out/],
    },
    {
      attack: 'empty segments, encoded slashes, NUL, control bytes',
      cases: [/empty segment/, /encoded (slash|NUL|control|tab|line)/],
    },
    {
      attack: 'overlong UTF-8, surrogates, half escapes, raw bytes',
      cases: [
        /an escape of another age/,
        /no slash at the beginning/,
        /: a (fragment|space)$/,
        /overlong/,
        /surrogate/,
        /escape that/,
        /raw /,
      ],
    },
    {
      attack: 'parameters, `;jsessionid`, extensions, capitals, slashes at the end',
      cases: [
        /jsessionid/,
        /parameter/,
        /HEALTHZ/,
        /an extension does not/,
        /a slash at the end/,
        /does not open an anonymous route$/,
        /opens no route$/,
      ],
    },
    {
      attack: 'escaped letters of a guarded path',
      cases: [
        /escaped letter/,
        /escaped twice/,
        /escaped into the query/,
        /^a path within a query/,
        /^the path ends at/,
      ],
    },
    {
      attack: 'methods in small letters, overriding headers, methods in the query',
      cases: [/method/, /TRACE/, /CONNECT/],
    },
    { attack: 'a limit of a route that another spelling escapes', cases: [/^a route's limit counts the route/] },
    {
      attack: 'a path that the rules disagree about with the backend, found at random',
      tests: {
        'core/routes/canonical-path.test.ts': ['whatever is sent'],
        'fuzz/adapters.test.ts': ['with the seed', 'both adapters refuse or allow alike'],
        'fuzz/envoy.test.ts': ['the decision is the one in memory'],
      },
    },
  ],
}
