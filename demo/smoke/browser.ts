/** Browsers: the gateway answers preflights, and a page's script can read what it is refused for. */
import { equal, match } from 'node:assert/strict'
import { asks, type Case } from './case.ts'
import { exchange } from './exchange.ts'

const ORIGIN = 'http://shop.localhost:3000'
const READABLE = /ratelimit.*retry-after.*www-authenticate.*x-request-id/

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  path: '/v1/orders/42',
  headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
})

export const browserCases: readonly Case[] = [
  asks('a preflight is answered without a credential', preflight(ORIGIN), {
    status: 200,
    from: 'none',
    headers: {
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': /POST/,
      'access-control-allow-headers': /x-api-key/,
    },
  }),
  {
    name: 'a preflight from a foreign page gets no permission',
    async check({ port }) {
      const answer = await exchange(port, preflight('http://foreign.example'))
      equal(answer.headers['access-control-allow-origin'], undefined)
      equal(answer.backend, undefined)
    },
  },
  asks(
    'a page can read a 401, its challenge and its request id',
    { path: '/v1/orders/42', headers: { origin: ORIGIN } },
    {
      status: 401,
      code: 'missing_credential',
      headers: {
        'access-control-allow-origin': ORIGIN,
        'access-control-expose-headers': READABLE,
        'www-authenticate': true,
      },
    },
  ),
  {
    name: 'OPTIONS without a preflight is a method like others',
    async check({ port }) {
      const answer = await exchange(port, { method: 'OPTIONS', path: '/v1/orders/42', headers: { origin: ORIGIN } })
      match(String(answer.status), /^40[13]$/)
      equal(answer.backend, undefined)
    },
  },
]
