/** What a refusal looks like (A8): its challenge, its body, and what it does not say. */
import { ORDER } from '../callers.ts'
import { refused, type Topic } from '../case.ts'

const NO_CREDENTIAL = 'Bearer realm="api", ApiKey realm="api"'
const BAD_CREDENTIAL = 'Bearer realm="api", error="invalid_token", ApiKey realm="api"'

/** The body of every credential that is not good: which way it is bad is for the log. */
const INVALID = { type: 'about:blank', title: 'Unauthorized', detail: 'The credential is not valid.' }

export const denials: Topic = {
  title: 'refusals',
  cases: [
    {
      shows: 'A8',
      name: 'without a credential: a challenge of each kind, and no error',
      request: { path: ORDER },
      expect: refused(401, 'missing_credential', {
        headers: { 'www-authenticate': NO_CREDENTIAL, 'retry-after': null, ratelimit: null },
        body: { type: 'about:blank', title: 'Unauthorized', detail: 'This resource needs a credential.' },
      }),
    },
    {
      shows: 'A8',
      name: 'with an unknown key: invalid_token',
      request: { path: ORDER, as: 'unknown key' },
      expect: refused(401, 'invalid_credential', { headers: { 'www-authenticate': BAD_CREDENTIAL }, body: INVALID }),
    },
    {
      shows: 'A8',
      name: 'a key before its time is told no more than one that does not exist',
      request: { path: ORDER, as: 'acme future key' },
      expect: refused(401, 'invalid_credential', { headers: { 'www-authenticate': BAD_CREDENTIAL }, body: INVALID }),
    },
    {
      shows: 'A8',
      name: 'a forged token is told no more',
      request: { path: ORDER, as: 'forged token' },
      expect: refused(401, 'invalid_credential', { headers: { 'www-authenticate': BAD_CREDENTIAL }, body: INVALID }),
    },
    {
      shows: 'A8',
      name: 'nor is one for another audience',
      request: { path: ORDER, as: 'wrong audience token' },
      expect: refused(401, 'invalid_credential', { headers: { 'www-authenticate': BAD_CREDENTIAL }, body: INVALID }),
    },
    {
      shows: 'A8',
      name: 'with an expired credential: invalid_token',
      request: { path: ORDER, as: 'expired token' },
      expect: refused(401, 'expired_credential', {
        headers: { 'www-authenticate': BAD_CREDENTIAL },
        body: { detail: 'The credential has expired.' },
      }),
    },
    {
      shows: 'A8',
      name: 'with two credentials: invalid_request',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>,<acme key>'] },
      expect: refused(400, 'ambiguous_credential', {
        headers: { 'www-authenticate': 'Bearer realm="api", error="invalid_request"' },
        body: { title: 'Bad Request' },
      }),
    },
    {
      shows: 'A8',
      name: 'without a scope: insufficient_scope, and which',
      request: { path: ORDER, method: 'POST', as: 'acme reader key' },
      expect: refused(403, 'insufficient_scope', {
        headers: { 'www-authenticate': 'Bearer realm="api", error="insufficient_scope", scope="orders:write"' },
        body: { title: 'Forbidden' },
      }),
    },
    {
      shows: 'A8',
      name: 'without one of several scopes: all that the route names',
      request: { path: '/v1/export', as: 'acme key' },
      expect: refused(403, 'insufficient_scope', {
        headers: {
          'www-authenticate': 'Bearer realm="api", error="insufficient_scope", scope="orders:read orders:export"',
        },
      }),
    },
    {
      shows: 'A8',
      name: 'without a role: no challenge, since another token would have the same roles',
      request: { path: '/v1/audit', as: 'acme key' },
      expect: refused(403, 'insufficient_role', {
        headers: { 'www-authenticate': null },
        body: { detail: 'The credential lacks a role that this resource needs.' },
      }),
    },
    {
      shows: 'A8',
      name: 'a conflict names neither tenant',
      request: { path: ORDER, host: 'globex.api.example.com', as: 'acme key' },
      expect: refused(403, 'tenant_conflict', {
        headers: { 'www-authenticate': null },
        body: { detail: 'The credentials and the host name belong to different tenants.' },
      }),
    },
    {
      shows: 'A8',
      name: 'where no route matches, no challenge',
      request: { path: '/v1/nothing', as: 'acme key' },
      expect: refused(403, 'no_matching_route', { headers: { 'www-authenticate': null } }),
    },
    {
      shows: 'A8',
      name: 'a malformed path is not repeated in the answer',
      request: { path: '/v1/orders/../admin?x-api-key=<acme key>', as: 'acme key' },
      expect: refused(400, 'malformed_request', {
        headers: { 'www-authenticate': null },
        body: { detail: 'The path or the host is not in canonical form.' },
      }),
    },
    {
      shows: 'A8',
      name: 'the request id is the gateway’s own, not what the client says',
      request: { path: ORDER, headers: ['X-Request-Id: mine'] },
      expect: refused(401, 'missing_credential', { headers: { 'x-request-id': /^[0-9a-f-]{32,36}$/ } }),
      differs: {
        kong: {
          because:
            "Kong's correlation-id plugin keeps a client's; charges are remembered by another id, which is Kong's own",
          expect: refused(401, 'missing_credential', { headers: { 'x-request-id': 'mine' } }),
        },
      },
    },
    {
      shows: 'A8',
      name: 'an Accept header does not change the form of a refusal',
      request: { path: ORDER, headers: ['Accept: text/html'] },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'A8',
      name: 'nor does a body that comes with the request',
      request: { path: ORDER, method: 'POST', headers: ['Content-Length: 2'], body: '{}' },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 12',
      name: 'more than 60 kB of headers are refused, never cut',
      request: { path: ORDER, as: 'acme key', headers: [`X-Large: ${'x'.repeat(64 * 1024)}`] },
      answeredByGateway: 'what is too large to read cannot be decided about',
      expect: { status: [400, 431], backend: 'not reached' },
    },
    {
      shows: 'ruling 12',
      name: 'more than 100 headers are refused, never cut',
      request: { path: ORDER, as: 'acme key', headers: Array.from({ length: 101 }, (_, n) => `X-${n}: 1`) },
      answeredByGateway: 'a header that was cut off could be the second key, or a spoofed one',
      expect: { status: 431, backend: 'not reached' },
    },
  ],
}
