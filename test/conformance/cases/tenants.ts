/** Which tenant a request is of (T1): by key, token and host name, alone, in agreement and in conflict. */
import { ACME_BY_HOST, ACME_KEY, ANN_WITH_ROLES, GLOBEX_KEY, NOBODY, ORDER } from '../callers.ts'
import { type Case, reaches, refused, type Topic } from '../case.ts'

const TOKEN = 'Authorization: Bearer <ann at acme token>'
const GLOBEX_TOKEN = 'Authorization: Bearer <ann at globex token>'

/** A host that names acme, in whatever form: acme's key passes, globex's does not, and without a key it names acme. */
const namesAcme = (host: string, what: string): Case[] => [
  {
    shows: 'T1',
    name: `${what} is acme's: its key passes`,
    request: { path: ORDER, host, as: 'acme key' },
    expect: reaches('orders-beta', ACME_KEY),
  },
  {
    shows: 'T1',
    name: `${what} is acme's: another's key is a conflict`,
    request: { path: ORDER, host, as: 'globex key' },
    expect: refused(403, 'tenant_conflict'),
  },
  {
    shows: 'ruling 5',
    name: `${what} alone tells an anonymous route of acme, and no more`,
    request: { path: '/healthz', host },
    expect: reaches('orders-stable', ACME_BY_HOST),
  },
]

/** A host that names nobody: credentials alone say who it is. */
const namesNobody = (host: string, what: string): Case[] => [
  {
    shows: 'T1',
    name: `${what} names nobody: any key passes`,
    request: { path: ORDER, host, as: 'globex key' },
    expect: reaches('orders-stable', GLOBEX_KEY),
  },
  {
    shows: 'ruling 5',
    name: `${what} tells an anonymous route nothing`,
    request: { path: '/healthz', host },
    expect: reaches('orders-stable', NOBODY),
  },
]

/** A host of a tenant that does not exist: no credential can agree with it. */
const namesUnknown = (host: string, what: string): Case[] => [
  {
    shows: 'ruling 4',
    name: `${what} names a tenant that does not exist: a conflict`,
    request: { path: ORDER, host, as: 'acme key' },
    expect: refused(403, 'tenant_conflict'),
  },
  {
    shows: 'ruling 5',
    name: `${what} tells an anonymous route nothing`,
    request: { path: '/healthz', host },
    expect: reaches('orders-stable', NOBODY),
  },
]

/** Neither gateway nor backend may read a tenant's name in what is no host name. */
const noHost = (host: string, what: string): Case => ({
  shows: 'T1',
  name: `${what}, make no host`,
  request: { path: ORDER, host, as: 'acme key' },
  expect: { status: [400, 403], backend: 'not reached' },
})

export const tenants: Topic = {
  title: 'tenants',
  cases: [
    {
      shows: 'ruling 5',
      name: 'a host alone proves nothing',
      request: { path: ORDER, host: 'acme.api.example.com' },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'T1',
      name: 'token and host agree',
      request: { path: ORDER, host: 'acme.api.example.com', as: 'ann at acme token' },
      expect: reaches('orders-beta', ANN_WITH_ROLES),
    },
    {
      shows: 'T1',
      name: 'key and token agree',
      request: { path: ORDER, as: 'acme key', headers: [TOKEN] },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'T1',
      name: 'key, token and host agree',
      request: { path: ORDER, host: 'acme.api.example.com', as: 'acme key', headers: [TOKEN] },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'T1',
      name: 'key against token',
      request: { path: ORDER, as: 'acme key', headers: [GLOBEX_TOKEN] },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T1',
      name: 'key against token on the host of the first',
      request: { path: ORDER, host: 'acme.api.example.com', as: 'acme key', headers: [GLOBEX_TOKEN] },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T1',
      name: 'key against token on the host of the second',
      request: { path: ORDER, host: 'globex.api.example.com', as: 'acme key', headers: [GLOBEX_TOKEN] },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T1',
      name: 'token against host',
      request: { path: ORDER, host: 'globex.api.example.com', as: 'ann at acme token' },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T1',
      name: 'key and token against host',
      request: { path: ORDER, host: 'globex.api.example.com', as: 'acme key', headers: [TOKEN] },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'ruling 4',
      name: 'a conflict is not told to those who have proven nothing: no credential',
      request: { path: ORDER, host: 'nobody.api.example.com' },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'ruling 4',
      name: 'a conflict is not told to those who have proven nothing: a bad credential',
      request: { path: ORDER, host: 'globex.api.example.com', as: 'mistyped key' },
      expect: refused(401, 'invalid_credential'),
    },
    ...namesAcme('acme.api.example.com', 'the label under the suffix'),
    ...namesAcme('acme.api.example.com:8080', 'with a port it'),
    ...namesAcme('ACME.Api.EXAMPLE.com', 'in capitals it'),
    ...namesAcme('acme.api.example.com.', 'with a trailing dot it'),
    ...namesAcme('Acme.api.example.com.:443', 'with all of that it'),
    ...namesAcme('Orders.ACME.example.', 'a custom domain'),
    ...namesNobody('api.example.com', 'the bare suffix'),
    ...namesNobody('www.api.example.com', 'a reserved label'),
    ...namesNobody('WWW.api.example.com.:8080', 'a reserved label in another spelling'),
    ...namesNobody('evilapi.example.com', 'a name that ends like the suffix without its dot'),
    ...namesNobody('acme-api.example.com', 'a hyphen for the dot'),
    ...namesNobody('acme.api.example.com.evil.example', 'a name that goes on after the suffix'),
    ...namesNobody('evil-orders.acme.example', 'a name that ends like a custom domain'),
    ...namesNobody('127.0.0.1:8080', 'an address'),
    ...namesNobody('[::1]:8080', 'an IPv6 address'),
    ...namesUnknown('nobody.api.example.com', 'an unknown label'),
    ...namesUnknown('org_7f3a.api.example.com', 'an alias, which only tokens use,'),
    ...namesUnknown('x.acme.api.example.com', 'a deeper label'),
    ...namesUnknown('acme.www.api.example.com', 'a label below a reserved one'),
    ...namesUnknown('__proto__.api.example.com', 'a name that objects have'),
    {
      shows: 'T1',
      name: 'two trailing dots are no way around a conflict',
      request: { path: ORDER, host: 'globex.api.example.com..', as: 'acme key' },
      expect: { status: [400, 403], backend: 'not reached' },
      differs: {
        envoy: {
          because: 'Envoy strips one dot before we strip ours, so that two are none',
          expect: refused(403, 'tenant_conflict'),
        },
      },
    },
    {
      shows: 'T1',
      name: 'X-Forwarded-Host names no tenant',
      request: { path: ORDER, as: 'globex key', headers: ['X-Forwarded-Host: acme.api.example.com'] },
      expect: reaches('orders-stable', GLOBEX_KEY),
    },
    {
      shows: 'T1',
      name: 'X-Forwarded-Host resolves no conflict',
      request: {
        path: ORDER,
        host: 'acme.api.example.com',
        as: 'globex key',
        headers: ['X-Forwarded-Host: globex.api.example.com', 'Forwarded: host=globex.api.example.com'],
      },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T1',
      name: 'of an absolute target its own host counts, as RFC 9112 §3.2.2 wants it',
      request: { path: `http://globex.api.example.com${ORDER}`, host: 'acme.api.example.com', as: 'acme key' },
      expect: refused(403, 'tenant_conflict'),
      differs: {
        kong: {
          because: 'Kong sends the Host header on all the same: no decision is right for both names',
          expect: refused(400, 'malformed_request'),
        },
      },
    },
    {
      shows: 'T1',
      name: 'two Host headers are not reduced to the one that agrees',
      request: { path: ORDER, host: 'acme.api.example.com', as: 'acme key', headers: ['Host: globex.api.example.com'] },
      expect: { status: [400, 403], backend: 'not reached' },
    },
    {
      shows: 'T1',
      name: 'a user name before the host names nobody that there is',
      request: { path: ORDER, host: 'globex@acme.api.example.com', as: 'acme key' },
      expect: { status: [400, 403], backend: 'not reached' },
    },
    noHost('x:y@globex.api.example.com', 'a user and password, behind which a URL parser reads the host'),
    noHost('globex.api.example.com,gw.example', 'two names joined by a comma'),
    noHost('globex.api.example.com...', 'three trailing dots'),
    noHost(']:globex.api.example.com', 'half an IPv6 literal'),
    noHost('globex.api.example.com:80:80', 'two ports'),
    {
      shows: 'T1',
      name: 'a suspended tenant is refused by its key',
      request: { path: ORDER, as: 'paused key' },
      expect: refused(403, 'tenant_suspended'),
    },
    {
      shows: 'T1',
      name: 'a suspended tenant is refused by a token',
      request: { path: ORDER, host: 'paused.api.example.com', as: 'ann at paused token' },
      expect: refused(403, 'tenant_suspended'),
    },
    {
      shows: 'T1',
      name: 'that a tenant is suspended is told only to itself',
      request: { path: ORDER, host: 'paused.api.example.com', as: 'acme key' },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'ruling 5',
      name: "a suspended tenant's host tells an anonymous route nothing",
      request: { path: '/healthz', host: 'paused.api.example.com' },
      expect: reaches('orders-stable', NOBODY),
    },
  ],
}
