/** API keys (A1): where they are looked for, and which are good. */
import { ACME_KEY, ACME_READER, NOBODY, ORDER } from '../callers.ts'
import { AUTHORIZATION_TWICE, reaches, refused, type Topic } from '../case.ts'

export const apiKeys: Topic = {
  title: 'API keys',
  cases: [
    {
      shows: 'A1',
      name: 'a key in its header names the tenant',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>'] },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'A1',
      name: "the case of the header's name does not matter",
      request: { path: ORDER, headers: ['x-aPI-KEY: <acme key>'] },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'A1',
      name: 'a key is also taken as a bearer token',
      request: { path: ORDER, headers: ['Authorization: Bearer <acme key>'] },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'A1',
      name: "the case of the scheme's name does not matter",
      request: { path: ORDER, headers: ['Authorization: bEARER <acme reader key>'] },
      expect: reaches('orders-beta', ACME_READER),
    },
    {
      shows: 'ruling 18',
      name: 'a key that was made elsewhere has no prefix and no checksum, and is good',
      request: { path: ORDER, headers: ['X-Api-Key: <imported key>'] },
      expect: reaches('orders-beta', ACME_READER),
    },
    {
      shows: 'ruling 18',
      name: 'without the prefix it is no key as a bearer token',
      request: { path: ORDER, headers: ['Authorization: Bearer <imported key>'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A1',
      name: 'an unknown key is refused',
      request: { path: ORDER, as: 'unknown key' },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A1',
      name: 'a key with a wrong checksum is refused',
      request: { path: ORDER, as: 'mistyped key' },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A1',
      name: 'an empty key is refused',
      request: { path: ORDER, headers: ['X-Api-Key:'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A1',
      name: 'a key with something behind it is another key',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>x'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A1',
      name: 'bytes that are not UTF-8 are no key',
      request: { path: ORDER, headers: ['X-Api-Key: \xff\xfe<acme key>'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A1',
      name: 'a key is over at its expiry, to the second',
      request: { path: ORDER, as: 'acme expired key' },
      expect: refused(401, 'expired_credential'),
    },
    {
      shows: 'A1',
      name: 'a key is refused before its time',
      request: { path: ORDER, as: 'acme future key' },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'two keys in two headers of the same name are one too many',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>', 'X-Api-Key: <globex key>'] },
      expect: refused(400, 'ambiguous_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'the same key twice is no better',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>', 'x-api-key: <acme key>'] },
      expect: refused(400, 'ambiguous_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'two keys joined by a comma are two keys',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>,<globex key>'] },
      expect: refused(400, 'ambiguous_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'a key in each of the two places for keys is one too many',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>', 'Authorization: Bearer <acme reader key>'] },
      expect: refused(400, 'ambiguous_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'two bearer keys are one too many',
      request: { path: ORDER, headers: ['Authorization: Bearer <acme key>', 'Authorization: Bearer <globex key>'] },
      expect: refused(400, 'ambiguous_credential'),
      differs: AUTHORIZATION_TWICE,
    },
    {
      shows: 'ruling 3',
      name: 'a bearer key behind another scheme is ambiguous, not overlooked',
      request: { path: ORDER, headers: ['Authorization: Basic YTpi', 'Authorization: Bearer <acme key>'] },
      expect: refused(400, 'ambiguous_credential'),
      differs: AUTHORIZATION_TWICE,
    },
    {
      shows: 'ruling 3',
      name: 'a key in the query is not looked at',
      request: { path: `${ORDER}?x-api-key=<acme key>&api_key=<acme key>&access_token=<acme key>` },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'a key in a cookie is not looked at',
      request: { path: ORDER, headers: ['Cookie: x-api-key=<acme key>'] },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'another scheme of Authorization is no credential of ours',
      request: { path: ORDER, headers: ['Authorization: Basic <acme key>'] },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'an underscore twin of the header is not the header',
      request: { path: ORDER, headers: ['X_Api_Key: <acme key>'] },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'a bad key is refused beside a good token',
      request: { path: ORDER, as: 'unknown key', headers: ['Authorization: Bearer <ann at acme token>'] },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'A7',
      name: 'the key goes no further where the policy says so',
      request: { path: ORDER, headers: ['X-Api-Key: <acme key>'] },
      expect: reaches('orders-beta', ACME_KEY, { headers: { 'x-api-key': null } }),
    },
    {
      shows: 'A7',
      name: 'nor does a bearer key',
      request: { path: ORDER, headers: ['authorization: bearer  <acme key>'] },
      expect: reaches('orders-beta', ACME_KEY, { headers: { authorization: null } }),
    },
    {
      shows: 'A7',
      name: 'nor does a key that an anonymous route has not looked at',
      request: { path: '/healthz', headers: ['X-Api-Key: <unknown key>', 'Authorization: Bearer <acme key>'] },
      expect: reaches('orders-stable', NOBODY, { headers: { 'x-api-key': null, authorization: null } }),
    },
    {
      shows: 'A7',
      name: "the backend's own Basic credentials pass",
      request: { path: ORDER, as: 'acme key', headers: ['Authorization: Basic YTpi'] },
      expect: reaches('orders-beta', ACME_KEY, { headers: { authorization: 'Basic YTpi', 'x-api-key': null } }),
    },
  ],
}
