/** Variants that callers choose by a header (F3): those whom the policy lets, and nobody else; no backend sees it. */
import { ACME_ADMIN, ACME_KEY, ANN_WITH_ROLES, GLOBEX_KEY, NOBODY, ORDER } from '../callers.ts'
import { type AtBackend, type Case, reaches, type Topic } from '../case.ts'
import type { CredentialName } from '../credentials.ts'

const HEADER = 'X-Flag-Override'
const GONE = { 'x-flag-override': null }

/** Where an order goes, and that the header by which it was chosen has not come along. */
const served = (variant: 'stable' | 'beta' | 'canary', more: AtBackend['headers'] = {}) => ({
  headers: {
    ...GONE,
    'x-tenantgate-upstream': `orders-${variant}`,
    'x-tenantgate-variant': variant,
    ...more,
  },
})

/** The role of acme's admin key lets it choose. */
const chosen = (name: string, headers: readonly string[], more: AtBackend['headers'] = {}): Case => ({
  shows: 'F3',
  name,
  request: { path: ORDER, as: 'acme admin key', headers },
  expect: reaches('orders-canary', ACME_ADMIN, served('canary', more)),
})

/** Whoever may choose has said nothing that can be followed: acme's orders are beta's. */
const moot = (name: string, value: string, header = HEADER): Case => ({
  shows: 'F3',
  name: `${name} moves nothing`,
  request: { path: ORDER, as: 'acme admin key', headers: [`${header}: ${value}`] },
  expect: reaches('orders-beta', ACME_ADMIN, served('beta', { 'x-tenantgate-checkout': 'true' })),
})

const others: readonly (readonly [who: string, as: CredentialName, trusted: AtBackend['trusted'] & object])[] = [
  ['a key without the role', 'acme key', ACME_KEY],
  ['a token with other roles', 'ann at acme token', ANN_WITH_ROLES],
]

export const overrides: Topic = {
  title: 'variants by header',
  cases: [
    chosen('who has the role chooses', [`${HEADER}: orders-backend=canary`]),
    chosen('in capitals too', [`${HEADER.toUpperCase()}: orders-backend=canary`]),
    chosen('with spaces around', [`${HEADER}:  nothing=here , orders-backend=canary  `]),
    chosen(
      'several flags in a list, one of them told to the backend',
      [`${HEADER}: new-checkout=off, orders-backend=canary`],
      { 'x-tenantgate-checkout': 'false' },
    ),
    chosen('and in two lines, which are a list', [`${HEADER}: new-checkout=off`, `${HEADER}: orders-backend=canary`], {
      'x-tenantgate-checkout': 'false',
    }),
    {
      shows: 'F3',
      name: 'a credential that the policy names chooses',
      request: { path: ORDER, as: 'globex key', headers: [`${HEADER}: orders-backend=canary`] },
      expect: reaches('orders-canary', GLOBEX_KEY, served('canary')),
    },
    ...others.map(
      ([who, as, trusted]): Case => ({
        shows: 'F3',
        name: `${who} chooses nothing`,
        request: { path: ORDER, as, headers: [`${HEADER}: orders-backend=canary, new-checkout=off`] },
        expect: reaches('orders-beta', trusted, served('beta', { 'x-tenantgate-checkout': 'true' })),
      }),
    ),
    ...['x_flag_override', 'X-Flag_Override', 'x_flag-override'].map((header) =>
      moot(
        `spelt ${header}, which is no way to choose, and no way to the backend, it`,
        'orders-backend=canary',
        header,
      ),
    ),
    moot('an unknown flag', 'orders=canary'),
    moot('an unknown variant', 'orders-backend=gold'),
    moot('the name of an upstream', 'orders-backend=orders-canary'),
    moot('a flag called __proto__', '__proto__=canary'),
    moot('a variant called constructor', 'orders-backend=constructor'),
    moot('a list that is broken', 'orders-backend=canary, and so on'),
    moot('a flag that is named twice', 'orders-backend=canary, orders-backend=stable'),
    moot('what is no pair', 'canary'),
    moot('more than 20 entries', `orders-backend=canary${', a=b'.repeat(20)}`),
    moot('more than 1 kB', `orders-backend=canary, long=${'x'.repeat(1024)}`),
    {
      shows: 'F3',
      name: 'a flag that is off stays off, whoever chooses',
      request: { path: '/v1/frozen', as: 'acme admin key', headers: [`${HEADER}: frozen-backend=canary`] },
      expect: reaches('orders-stable', ACME_ADMIN, {
        headers: { ...GONE, 'x-tenantgate-upstream': 'orders-stable', 'x-tenantgate-variant': null },
      }),
    },
    {
      shows: 'F3',
      name: 'where no flag is asked there is nothing to choose, and the header goes all the same',
      request: { path: '/v1/things/best', as: 'acme admin key', headers: [`${HEADER}: orders-backend=beta`] },
      expect: reaches('orders-canary', ACME_ADMIN, { headers: { ...GONE, 'x-tenantgate-variant': null } }),
    },
    {
      shows: 'F3',
      name: 'nor where the gateway itself routes',
      request: { path: '/v1/wherever', as: 'acme admin key', headers: [`${HEADER}: orders-backend=canary`] },
      expect: reaches('orders-stable', ACME_ADMIN, { headers: { ...GONE, 'x-tenantgate-upstream': null } }),
    },
    {
      shows: 'F3',
      name: 'an anonymous route asks for no credential, and so nobody chooses there',
      request: { path: '/healthz', as: 'acme admin key', headers: [`${HEADER}: new-checkout=on`] },
      expect: reaches('orders-stable', NOBODY, { headers: { ...GONE, 'x-tenantgate-checkout': 'false' } }),
    },
    {
      shows: 'F3',
      name: 'nor does nobody on an optional one',
      request: { path: '/catalogue/1', headers: [`${HEADER}: new-checkout=on`] },
      expect: reaches('orders-stable', NOBODY, { headers: { ...GONE, 'x-tenantgate-checkout': 'false' } }),
    },
  ],
}
