/** Tokens (A2): which are genuine, and what their claims say. */
import { ACME_READER, ANN_AT_ACME, ANN_AT_GLOBEX, ANN_WITH_ROLES, ORDER } from '../callers.ts'
import { AUTHORIZATION_TWICE, type Case, reaches, refused, type Topic } from '../case.ts'
import type { CredentialName } from '../credentials.ts'

/** A token that is refused without a word on what is wrong with it. */
const invalid = (token: CredentialName, name: string, path = ORDER): Case => ({
  shows: 'A2',
  name: `${name} is refused`,
  request: { path, as: token },
  expect: refused(401, 'invalid_credential'),
})

/** A line that some readers take for a Bearer credential; it must not pass unread beside a good key, or reach a backend. */
const halfBearer = (line: string, what: string): Case => ({
  shows: 'ruling 3',
  name: `${what} is refused, also beside a good key`,
  request: { path: ORDER, as: 'acme key', headers: [line] },
  expect: refused(401, 'invalid_credential'),
})

export const tokens: Topic = {
  title: 'tokens',
  cases: [
    halfBearer('Authorization: Bearer\x09<ann at globex token>', 'a token behind a tab'),
    halfBearer('Authorization: Bearer', 'a scheme without a token'),
    halfBearer('Authorization: Bearer <ann at globex token> x', 'a token with something behind it'),
    {
      shows: 'A2',
      name: 'a genuine token names tenant and user, and its roles where they are nested',
      request: { path: ORDER, as: 'ann at acme token' },
      expect: reaches('orders-beta', ANN_WITH_ROLES),
    },
    {
      shows: 'A2',
      name: 'a token may name the tenant by an alias',
      request: { path: ORDER, as: 'ann by alias token' },
      expect: reaches('orders-beta', ANN_AT_ACME),
    },
    {
      shows: 'A2',
      name: 'the same user at another tenant is another caller',
      request: { path: ORDER, as: 'ann at globex token' },
      expect: reaches('orders-stable', ANN_AT_GLOBEX),
    },
    {
      shows: 'A2',
      name: 'scopes may be a list, and roles a text',
      request: { path: ORDER, as: 'list of scopes token' },
      expect: reaches('orders-beta', {
        ...ANN_AT_ACME,
        'x-user-scopes': 'orders:read,orders:write',
        'x-user-roles': 'viewer,buyer',
      }),
    },
    {
      shows: 'A2',
      name: 'another algorithm that the policy allows',
      request: { path: ORDER, as: 'rs256 token' },
      expect: reaches('orders-beta', ANN_AT_ACME),
    },
    {
      shows: 'A2',
      name: 'HS256 with the secret that the policy names; an issuer of one tenant need not name it',
      request: { path: '/v1/things/1', as: 'legacy token' },
      expect: reaches('orders-beta', { 'x-tenant-id': 'acme', 'x-tenant-plan': 'enterprise', 'x-user-id': 'old' }),
    },
    {
      shows: 'A2',
      name: 'an issuer that may speak for globex speaks for globex',
      request: { path: '/v1/things/1', as: 'partner for globex token' },
      expect: reaches('orders-beta', { 'x-tenant-id': 'globex', 'x-tenant-plan': 'pro', 'x-user-id': 'eve' }),
    },
    {
      shows: 'A2',
      name: 'and for nobody else',
      request: { path: '/v1/things/1', as: 'partner for acme token' },
      expect: refused(403, 'unknown_tenant'),
    },
    {
      shows: 'A2',
      name: "a clock that is off by the policy's skew is forgiven",
      request: { path: ORDER, as: 'just expired token' },
      expect: reaches('orders-beta', ANN_AT_ACME),
    },
    {
      shows: 'A2',
      name: 'an expired token is told so',
      request: { path: ORDER, as: 'expired token' },
      expect: refused(401, 'expired_credential'),
    },
    invalid('wrong audience token', 'a token for another audience'),
    invalid('unknown issuer token', 'a token of an issuer that the policy does not name'),
    invalid('future token', 'a token before its time'),
    invalid('endless token', 'a token without an expiry'),
    invalid('forged token', "a token that was signed by somebody else, under the issuer's key id,"),
    invalid('tampered token', 'a token whose claims were changed'),
    invalid('other key id token', 'a token that names a key that the issuer does not have'),
    invalid('unsigned token', 'a token of the algorithm none'),
    invalid('unsigned token with a signature', 'a token of the algorithm none with a genuine signature'),
    invalid('public key as secret token', 'an HS256 token with the public key for its secret'),
    invalid('ps256 token', "a token of the issuer's own key, by an algorithm that the policy does not allow,"),
    invalid('number as tenant token', 'a token whose tenant is no text'),
    invalid('long token', 'a token that is longer than any'),
    {
      shows: 'A2',
      name: 'a token that is none is refused',
      request: { path: ORDER, headers: ['Authorization: Bearer nonsense'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A2',
      name: 'an empty token is refused',
      request: { path: ORDER, headers: ['Authorization: Bearer '] },
      expect: { status: 401, backend: 'not reached' },
    },
    {
      shows: 'ruling 3',
      name: 'two tokens are one too many',
      request: {
        path: ORDER,
        headers: ['Authorization: Bearer <ann at acme token>', 'Authorization: Bearer <bob at acme token>'],
      },
      expect: refused(400, 'ambiguous_credential'),
      differs: AUTHORIZATION_TWICE,
    },
    {
      shows: 'ruling 3',
      name: 'a token in the query is not looked at',
      request: { path: `${ORDER}?access_token=<ann at acme token>` },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'a bad token is refused beside a good key',
      request: { path: ORDER, as: 'acme key', headers: ['Authorization: Bearer <forged token>'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'of a key and a token the first source is the principal, alone',
      request: { path: ORDER, as: 'acme reader key', headers: ['Authorization: Bearer <ann at acme token>'] },
      expect: reaches('orders-beta', ACME_READER),
    },
    {
      shows: 'ruling 3',
      name: 'rights of a key and a token are never added up',
      request: {
        path: ORDER,
        method: 'POST',
        as: 'acme reader key',
        headers: ['Authorization: Bearer <list of scopes token>'],
      },
      expect: refused(403, 'insufficient_scope'),
    },
    {
      shows: 'T1',
      name: 'a token for a tenant that does not exist',
      request: { path: ORDER, as: 'ann at nobody token' },
      expect: refused(403, 'unknown_tenant'),
    },
    {
      shows: 'T1',
      name: "a token without a tenant has none, not even on a tenant's host",
      request: { path: ORDER, host: 'acme.api.example.com', as: 'ann without tenant token' },
      expect: refused(403, 'unknown_tenant'),
    },
    {
      shows: 'A7',
      name: 'the token goes no further where the policy says so',
      request: { path: ORDER, as: 'ann at acme token' },
      expect: reaches('orders-beta', ANN_WITH_ROLES, { headers: { authorization: null } }),
    },
  ],
}
