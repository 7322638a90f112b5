/** Attacks with API keys: what is nearly a key, what only looks like one, and guessing. */
import { ACME_KEY, ACME_READER, ANN_WITH_ROLES, NOBODY, ORDER } from '../../callers.ts'
import { type Case, type Expected, reaches, refused, type Topic } from '../../case.ts'
import type { NearlyKey } from '../../forged/keys.ts'

const INVALID = refused(401, 'invalid_credential')

const nearly = (key: NearlyKey, what: string): Case => ({
  shows: 'A1',
  name: `${what} is no key`,
  request: { path: ORDER, headers: [`X-Api-Key: <${key}>`] },
  expect: INVALID,
})

const nonsense = (line: string, what: string, expect: Expected = INVALID): Case => ({
  shows: 'A1',
  name: `${what} is no key`,
  request: { path: ORDER, headers: [line] },
  expect,
})

const TOO_MANY = refused(429, 'too_many_failures', {
  headers: { 'retry-after': '1', ratelimit: null },
  body: { detail: 'Too many credentials from this address have failed.' },
})

/** As many as one address may get wrong at once, by the policy's default. */
const guesses = { request: { path: ORDER, as: 'unknown key' }, expect: INVALID, times: 50 } as const

export const keyAttacks: Topic = {
  title: 'attacks with API keys',
  cases: [
    nearly('hash of a key', 'the hash that the policy stores'),
    nearly('digest of a key', 'its digest alone'),
    nearly('capitals of a key', 'a key in capitals'),
    nearly('small letters of a key', 'a key in small letters'),
    nearly('most of a key', 'a key without its last letter'),
    nearly('live twin of a key', 'a key of another environment'),
    nearly('body of a key', 'a key without its prefix'),
    nearly('base64 of a key', 'a key in base64'),
    nonsense('X-Api-Key: __proto__', 'a name that objects have'),
    nonsense('X-Api-Key: constructor', 'another of them'),
    nonsense("X-Api-Key: ' OR '1'='1", 'a piece of SQL'),
    nonsense('X-Api-Key: {"$ne":null}', 'a query of a document store'),
    nonsense('X-Api-Key: *', 'a wildcard'),
    nonsense(`X-Api-Key: ${'k'.repeat(4096)}`, 'a text of 4 kB'),
    nonsense('X-Api-Key: Bearer <acme key>', 'a key behind the name of a scheme'),
    nonsense('X-Api-Key: "<acme key>"', 'a key in quotes'),
    nonsense('X-Api-Key: <acme key>;<globex key>', 'two keys joined by a semicolon'),
    nonsense('X-Api-Key: <acme key> <globex key>', 'two keys joined by a space'),
    nonsense('Authorization: Bearer tg_', 'the prefix alone'),
    nonsense('Authorization: Bearer <acme key>.x.y', 'a key with the parts of a token'),
    nonsense('X-Api-Key: <acme key>\x00', 'a key with a NUL behind it', { status: [400, 401], backend: 'not reached' }),
    {
      shows: 'ruling 3',
      name: 'a key in a trailer is not looked at',
      request: {
        path: ORDER,
        method: 'POST',
        headers: ['Transfer-Encoding: chunked', 'Trailer: X-Api-Key'],
        body: '0\r\nX-Api-Key: <acme key>\r\n\r\n',
      },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 3',
      name: 'two keys, one hidden behind the other by Connection, are no way to choose one',
      request: { path: ORDER, as: 'acme key', headers: ['Connection: close, x-api-key', 'X-Api-Key: <globex key>'] },
      expect: { ...refused(400, 'ambiguous_credential'), orRefused: [401] },
    },
    {
      shows: 'ruling 8',
      name: 'guessing: an address that was wrong too often is answered 429, unread; what cannot be guessed goes on',
      steps: [
        { request: { path: ORDER, as: 'ann at acme token' }, expect: reaches('orders-beta', ANN_WITH_ROLES) },
        guesses,
        { request: { path: ORDER, as: 'unknown key' }, expect: TOO_MANY },
        { request: { path: ORDER, as: 'mistyped key' }, expect: TOO_MANY },
        { request: { path: ORDER, as: 'imported key' }, expect: TOO_MANY },
        { request: { path: ORDER, as: 'forged token' }, expect: TOO_MANY },
        { request: { path: ORDER, as: 'ann unseen token' }, expect: TOO_MANY },
        { request: { path: ORDER, headers: ['Authorization: Bearer nonsense'] }, expect: TOO_MANY },
        { request: { path: ORDER, as: 'acme key' }, expect: reaches('orders-beta', ACME_KEY) },
        { request: { path: ORDER, as: 'ann at acme token' }, expect: reaches('orders-beta', ANN_WITH_ROLES) },
        { request: { path: '/healthz' }, expect: reaches('orders-stable', NOBODY) },
        { request: { path: ORDER }, expect: refused(401, 'missing_credential') },
      ],
    },
    {
      shows: 'ruling 8',
      name: 'guessing: no forwarded address gives a fresh start',
      steps: [
        guesses,
        ...['X-Forwarded-For: 192.0.2.1', 'X-Real-IP: 192.0.2.1', 'Forwarded: for=192.0.2.1'].map((line) => ({
          request: { path: ORDER, as: 'unknown key', headers: [line] } as const,
          expect: TOO_MANY,
        })),
        {
          request: { path: ORDER, as: 'unknown key', headers: ['X-Envoy-External-Address: 192.0.2.1'] },
          expect: TOO_MANY,
        },
        {
          request: {
            path: ORDER,
            as: 'unknown key',
            headers: ['True-Client-IP: 192.0.2.1', 'CF-Connecting-IP: 192.0.2.1'],
          },
          expect: TOO_MANY,
        },
      ],
    },
    {
      shows: 'ruling 8',
      name: 'guessing: another address is none the worse for it',
      steps: [
        guesses,
        { request: { path: ORDER, as: 'unknown key', from: '127.0.0.2' }, expect: INVALID },
        {
          request: { path: ORDER, as: 'imported key', from: '127.0.0.2' },
          expect: reaches('orders-beta', ACME_READER),
        },
      ],
    },
    {
      shows: 'ruling 8',
      name: 'guessing: what is missing, ambiguous or expired, or of another tenant, is no guess',
      steps: [
        { request: { path: ORDER }, expect: refused(401, 'missing_credential'), times: 60 },
        { request: { path: ORDER, as: 'acme expired key' }, expect: refused(401, 'expired_credential'), times: 60 },
        {
          request: { path: ORDER, headers: ['X-Api-Key: a,b'] },
          expect: refused(400, 'ambiguous_credential'),
          times: 60,
        },
        {
          request: { path: ORDER, host: 'globex.api.example.com', as: 'acme key' },
          expect: refused(403, 'tenant_conflict'),
          times: 60,
        },
        { request: { path: ORDER, as: 'unknown key' }, expect: INVALID },
      ],
    },
    {
      shows: 'ruling 8',
      name: 'guessing at an optional route counts, too; at an anonymous one nothing is read',
      steps: [
        { request: { path: '/healthz', as: 'unknown key' }, expect: reaches('orders-stable', NOBODY), times: 60 },
        { request: { path: '/catalogue/1', as: 'unknown key' }, expect: INVALID, times: 50 },
        { request: { path: '/catalogue/1', as: 'unknown key' }, expect: TOO_MANY },
        { request: { path: '/v1/nothing', as: 'unknown key' }, expect: TOO_MANY },
      ],
    },
    {
      shows: 'ruling 10',
      name: 'guessing: a gRPC client is told 8 RESOURCE_EXHAUSTED',
      steps: [
        guesses,
        {
          request: {
            path: '/orders.v1.Orders/List',
            method: 'POST',
            as: 'unknown key',
            headers: ['Content-Type: application/grpc', 'TE: trailers'],
          },
          expect: { status: 200, headers: { 'grpc-status': '8', 'retry-after': '1' }, backend: 'not reached' },
        },
      ],
    },
  ],
}
