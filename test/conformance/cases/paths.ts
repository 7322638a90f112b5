/** Paths that readers could understand differently (ruling 1): refused, never repaired; and those that only look like it. */
import { ACME_ADMIN, ACME_KEY } from '../callers.ts'
import { type Case, reaches, refused, type Topic } from '../case.ts'

/** What stands in Kong before its plugins. The answer is then a page of Kong's own. */
const BEFORE_PLUGINS = {
  nginx: { because: 'nginx refuses it before it runs any plugin', expect: { code: undefined } },
  router: { because: "Kong's router has no route for what is not UTF-8", expect: { status: 404, code: undefined } },
} as const

/** Each, repaired by somebody, would be /v1/admin/users or /v1/orders/1. some of them Kong refuses before anybody is asked. */
const NOT_CANONICAL: readonly (readonly [path: string, why: string, refusedBy?: keyof typeof BEFORE_PLUGINS])[] = [
  ['/v1/orders/../admin/users', 'a `..` segment'],
  ['/v1/orders/./1', 'a `.` segment'],
  ['/v1/admin/users/..', 'a `..` segment at the end'],
  ['/v1/orders/1/.', 'a `.` segment at the end'],
  ['/../v1/orders/1', 'a `..` segment at the beginning', 'nginx'],
  ['/v1/orders/../admin/users?x=1', 'a `..` segment before a query'],
  ['/v1/orders/%2e%2e/admin/users', 'an encoded `..` segment'],
  ['/v1/orders/%2E%2E/admin/users', 'an encoded `..` segment in capitals'],
  ['/v1/orders/.%2e/admin/users', 'a `..` segment that is half encoded'],
  ['/v1/orders/%2e./admin/users', 'a `..` segment whose other half is'],
  ['/v1/orders/%2e/1', 'an encoded `.` segment'],
  ['/v1/orders/..;/admin/users', 'a `..` segment before `;`'],
  ['/v1/orders/..;a=b/admin/users', 'a `..` segment before a parameter'],
  ['/v1/orders/.;/1', 'a `.` segment before `;`'],
  ['/v1/orders/%2e%2e;/admin/users', 'an encoded `..` segment before `;`'],
  ['/v1/orders/..%3b/admin/users', 'a `..` segment before an encoded `;`'],
  ['/v1//admin/users', 'an empty segment'],
  ['//v1/admin/users', 'an empty segment at the beginning, where a URL would have a host'],
  ['/v1/orders//', 'an empty segment at the end'],
  ['/healthz//../v1/admin/users', 'an empty segment behind an anonymous path'],
  ['/healthz/../v1/admin/users', 'a way out of an anonymous path'],
  ['/v1\\admin\\users', 'backslashes'],
  ['/v1/orders/..\\admin/users', 'a `..` segment before a backslash'],
  ['/v1/orders/1\\', 'a backslash at the end'],
  ['/v1%2fadmin/users', 'an encoded slash'],
  ['/v1/orders/..%2Fadmin/users', 'a `..` segment before an encoded slash'],
  ['/v1/admin%5cusers', 'an encoded backslash'],
  ['/v1/orders/1%00', 'an encoded NUL', 'nginx'],
  ['/v1/orders/1%0d%0aX-Tenant-Id:%20acme', 'an encoded line break'],
  ['/v1/orders/1%09', 'an encoded tab'],
  ['/v1/orders/1%1F', 'an encoded control byte'],
  ['/v1/orders/1%7f', 'an encoded DEL'],
  ['/v1/orders/%zz', 'an escape that is none', 'nginx'],
  ['/v1/orders/1%', 'an escape that ends too soon', 'nginx'],
  ['/v1/orders/%e', 'half an escape', 'nginx'],
  ['/v1/orders/%c0%ae%c0%ae/admin/users', 'an overlong `..`', 'router'],
  ['/v1/orders/1%ff', 'an escape that is not UTF-8', 'router'],
  ['/v1/orders/%ed%a0%80', 'an encoded surrogate', 'router'],
]

/** Bytes that a gateway may refuse before anybody is asked. */
const NOT_HTTP: readonly (readonly [path: string, why: string, refusedBy?: keyof typeof BEFORE_PLUGINS])[] = [
  ['/v1/orders/1#', 'a fragment'],
  ['/v1/orders/1#/../../admin/users', 'a fragment with a way out'],
  ['/v1/orders/1\x00', 'a raw NUL'],
  ['/v1/orders/1\x01', 'a raw control byte'],
  ['/v1/orders/1\x7f', 'a raw DEL'],
  ['/v1/orders/1\t2', 'a raw tab'],
  ['/v1/orders/1 2', 'a raw space'],
  ['/v1/orders/caf\xc3\xa9', 'raw UTF-8'],
  ['/v1/orders/\xc0\xae\xc0\xae/admin/users', 'a raw overlong `..`', 'router'],
  ['/v1/orders/\xff', 'a raw byte that is not UTF-8', 'router'],
  ['v1/orders/1', 'no slash at the beginning'],
  ['?/v1/orders/1', 'a query alone'],
]

/** For a terminal: bytes beyond visible ASCII as `\xNN`. */
const readable = (path: string) =>
  path.replace(/[^!-~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)

const refusedPath = ([path, why, refusedBy]: (typeof NOT_CANONICAL)[number]): Case => ({
  shows: 'ruling 1',
  name: `${path}: ${why}`,
  request: { path, as: 'acme key' },
  expect: refused(400, 'malformed_request'),
  ...(refusedBy && { differs: { kong: BEFORE_PLUGINS[refusedBy] } }),
})

const refusedByAnybody = ([path, why, refusedBy]: (typeof NOT_HTTP)[number]): Case => ({
  shows: 'ruling 1',
  name: `${readable(path)}: ${why}`,
  request: { path, as: 'acme key' },
  expect: { status: 400, backend: 'not reached' },
  ...(refusedBy && { differs: { kong: BEFORE_PLUGINS[refusedBy] } }),
})

/** A guarded path under another name is still guarded. */
const stillGuarded = (path: string, why: string): Case => ({
  shows: 'A6',
  name: `${path}: ${why}`,
  request: { path, as: 'acme key' },
  expect: refused(403, 'insufficient_role'),
})

export const paths: Topic = {
  title: 'paths',
  cases: [
    ...NOT_CANONICAL.map(refusedPath),
    ...NOT_HTTP.map(refusedByAnybody),
    {
      shows: 'ruling 1',
      name: 'a path is refused before anybody is asked for a credential',
      request: { path: '/v1/orders/../admin/users' },
      expect: refused(400, 'malformed_request'),
    },
    {
      shows: 'ruling 1',
      name: 'also within an absolute target',
      request: { path: 'http://gateway.example/v1/orders/../admin/users', as: 'acme key' },
      expect: refused(400, 'malformed_request'),
    },
    {
      shows: 'ruling 1',
      name: 'OPTIONS * is for no backend',
      request: { path: '*', method: 'OPTIONS', as: 'acme key' },
      expect: { status: [400, 403, 404, 405], backend: 'not reached' },
    },
    {
      shows: 'ruling 1',
      name: 'CONNECT is for no backend',
      request: { path: 'gateway.example:443', method: 'CONNECT', as: 'acme key' },
      expect: { status: [400, 403, 404, 405], backend: 'not reached' },
    },
    stillGuarded('/v1/%61dmin/users', 'an escaped letter does not hide a guarded path'),
    stillGuarded('/v1/%61%64%6D%69%6e/users', 'nor do escaped letters'),
    stillGuarded('/%76%31/admin/users', 'in any segment'),
    stillGuarded('/v1/admin', 'the root of a guarded prefix'),
    stillGuarded('/v1/admin/?x=/v1/orders', 'a query is no path'),
    {
      shows: 'ruling 1',
      name: 'a canonical path reaches the backend byte for byte',
      request: { path: '/v1/%61dmin/a%20b;c=d/e..f/%C3%A9?q=//../%2e%2e', as: 'acme admin key' },
      expect: reaches('orders-stable', ACME_ADMIN, { path: '/v1/%61dmin/a%20b;c=d/e..f/%C3%A9?q=//../%2e%2e' }),
      differs: {
        kong: {
          because: 'Kong writes letters that need no escape as they are; it is the path that was decided about',
          expect: reaches('orders-stable', ACME_ADMIN, { path: '/v1/admin/a%20b;c=d/e..f/%C3%A9?q=//../%2e%2e' }),
        },
      },
    },
    {
      shows: 'ruling 1',
      name: 'what is escaped twice is escaped once, and stays so',
      request: { path: '/v1/orders/%252e%252e/admin', as: 'acme key' },
      expect: reaches('orders-beta', ACME_KEY, { path: '/v1/orders/%252e%252e/admin' }),
    },
  ],
}
