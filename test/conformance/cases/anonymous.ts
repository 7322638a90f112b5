/** Routes that need no credential (rulings 5 and 6): one that looks at none, and one that verifies those shown. */
import { ACME_BY_HOST, ACME_KEY, ANN_WITH_ROLES, NOBODY } from '../callers.ts'
import { type Case, type Request, reaches, refused, type Topic } from '../case.ts'

const OPEN = '/healthz'
const OPTIONAL = '/catalogue/1'

/** Whatever is shown, an anonymous route is open and its backend is told of nobody. */
const ignored = (what: string, request: Omit<Request, 'path'>): Case => ({
  shows: 'ruling 6',
  name: `an anonymous route ignores ${what}`,
  request: { path: OPEN, ...request },
  expect: reaches('orders-stable', NOBODY),
})

export const anonymous: Topic = {
  title: 'anonymous routes',
  cases: [
    ignored('that there is no credential', {}),
    ignored('a good key', { as: 'acme key' }),
    ignored('a bad key', { as: 'unknown key' }),
    ignored('a good token', { as: 'ann at acme token' }),
    ignored('a forged token', { as: 'forged token' }),
    ignored('two keys', { headers: ['X-Api-Key: <acme key>', 'X-Api-Key: <globex key>'] }),
    ignored("a suspended tenant's key", { as: 'paused key' }),
    {
      shows: 'ruling 5',
      name: 'the host tells it of the tenant, and of nothing else',
      request: { path: OPEN, host: 'acme.api.example.com' },
      expect: reaches('orders-stable', ACME_BY_HOST),
    },
    {
      shows: 'ruling 6',
      name: 'a key makes neither a conflict nor a caller of the host’s tenant',
      request: { path: OPEN, host: 'acme.api.example.com', as: 'globex key' },
      expect: reaches('orders-stable', ACME_BY_HOST),
    },
    {
      shows: 'ruling 1',
      name: 'its path must be canonical too',
      request: { path: '/./healthz' },
      expect: refused(400, 'malformed_request'),
    },
    {
      shows: 'ruling 6',
      name: 'optional: none shown is nobody',
      request: { path: OPTIONAL },
      expect: reaches('orders-stable', NOBODY),
    },
    {
      shows: 'ruling 5',
      name: "optional: none shown on a tenant's host is that tenant, and nothing else",
      request: { path: OPTIONAL, host: 'acme.api.example.com' },
      expect: reaches('orders-stable', ACME_BY_HOST),
    },
    {
      shows: 'ruling 6',
      name: 'optional: a good key is a caller',
      request: { path: OPTIONAL, as: 'acme key' },
      expect: reaches('orders-stable', ACME_KEY),
    },
    {
      shows: 'ruling 6',
      name: 'optional: a good token is a caller',
      request: { path: OPTIONAL, host: 'acme.api.example.com', as: 'ann at acme token' },
      expect: reaches('orders-stable', ANN_WITH_ROLES),
    },
    {
      shows: 'ruling 6',
      name: 'optional: a bad key is refused',
      request: { path: OPTIONAL, as: 'mistyped key' },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'ruling 6',
      name: 'optional: an expired token is refused',
      request: { path: OPTIONAL, as: 'expired token' },
      expect: refused(401, 'expired_credential'),
    },
    {
      shows: 'ruling 6',
      name: 'optional: two keys are refused',
      request: { path: OPTIONAL, headers: ['X-Api-Key: <acme key>,<acme key>'] },
      expect: refused(400, 'ambiguous_credential'),
    },
    {
      shows: 'ruling 6',
      name: "optional: a good key on another tenant's host is a conflict",
      request: { path: OPTIONAL, host: 'globex.api.example.com', as: 'acme key' },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'ruling 6',
      name: 'optional: a suspended tenant is refused',
      request: { path: OPTIONAL, as: 'paused key' },
      expect: refused(403, 'tenant_suspended'),
    },
  ],
}
