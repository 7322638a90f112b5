/** Attacks with host names: what is no host name, what looks like another's, and other headers that name one. */
import { ACME_BY_HOST, ACME_KEY, NOBODY, ORDER } from '../../callers.ts'
import { type Case, reaches, refused, type Topic } from '../../case.ts'

/** Whoever refuses it: such a host names nobody that a backend could serve. */
const noHost = (host: string | null, what: string): Case => ({
  shows: 'T1',
  name: `${what} is no host`,
  request: { path: ORDER, host, as: 'acme key' },
  expect: { status: 400, backend: 'not reached' },
})

/** A tenant that does not exist: no key agrees with it, and an anonymous route is told of nobody. */
const nobodys = (host: string, what: string): Case[] => [
  {
    shows: 'ruling 4',
    name: `${what} is not acme: a conflict`,
    request: { path: ORDER, host, as: 'acme key' },
    expect: refused(403, 'tenant_conflict'),
  },
  {
    shows: 'ruling 5',
    name: `${what} is not acme on an anonymous route either`,
    request: { path: '/healthz', host },
    expect: reaches('orders-stable', NOBODY),
  },
]

/** Headers by which some frameworks let a client, or a proxy, say which host it means. */
const OTHER_HOSTS = [
  'X-Forwarded-Host: globex.api.example.com',
  'X-Forwarded-Server: globex.api.example.com',
  'X-Original-Host: globex.api.example.com',
  'X-Host: globex.api.example.com',
  'X-HTTP-Host-Override: globex.api.example.com',
  'Forwarded: host=globex.api.example.com',
  'X_Forwarded_Host: globex.api.example.com',
  'X-Original-Url: http://globex.api.example.com/v1/orders/1',
]

const named = (line: string): Case => ({
  shows: 'T1',
  name: `${line}: names no tenant (CVE-2026-40575)`,
  request: { path: '/healthz', host: 'acme.api.example.com', headers: [line] },
  expect: reaches('orders-stable', ACME_BY_HOST),
})

export const hostAttacks: Topic = {
  title: 'attacks with host names',
  cases: [
    noHost(null, 'none at all'),
    noHost('acme..api.example.com', 'an empty label within'),
    noHost('.acme.api.example.com', 'a dot before it'),
    noHost('.api.example.com', 'an empty label before the suffix'),
    noHost('acme.api.example.com%00', 'a name with an escape'),
    noHost('%61cme.api.example.com', 'a name that begins with an escape'),
    noHost('ac me.api.example.com', 'a name with a space in it'),
    noHost('acme\x00.api.example.com', 'a name with a NUL in it'),
    noHost('\xd0\xb0cme.api.example.com', 'a Cyrillic letter that looks like one of acme'),
    noHost('acme\xe3\x80\x82api.example.com', 'an ideographic full stop, which some fold to a dot,'),
    noHost('acme.api.example.com:http', 'a port that is a word'),
    noHost('acme.api.example.com:-1', 'a port below zero'),
    noHost('[acme.api.example.com]', 'a name in brackets'),
    noHost('[::1', 'half an address in brackets'),
    noHost('acme.api.example.com/globex', 'a name with a path'),
    noHost('acme.api.example.com?globex', 'a name with a query'),
    noHost('acme.api.example.com#globex', 'a name with a fragment'),
    noHost('acme.api.example.com\\globex', 'a name with a backslash'),
    noHost('*.api.example.com', 'a wildcard'),
    noHost('acme.api.example.com;globex.api.example.com', 'two names joined by a semicolon'),
    noHost('acme.api.example.com globex.api.example.com', 'two names joined by a space'),
    ...nobodys('xn--acme-5cd.api.example.com', 'the punycode of a look-alike'),
    ...nobodys('acme-.api.example.com', 'a name with a hyphen behind it'),
    ...nobodys('acme_.api.example.com', 'a name with an underscore behind it'),
    ...nobodys('constructor.api.example.com', 'a name that objects have'),
    ...OTHER_HOSTS.map(named),
    {
      shows: 'T1',
      name: 'a user in an absolute target is no way to another host',
      request: { path: `http://acme.api.example.com@globex.api.example.com${ORDER}`, as: 'acme key' },
      expect: { status: [400, 403], backend: 'not reached' },
    },
    {
      shows: 'T1',
      name: 'an absolute target of another scheme is no way either',
      request: { path: `https://globex.api.example.com${ORDER}`, host: 'acme.api.example.com', as: 'acme key' },
      expect: { status: [400, 403], backend: 'not reached' },
    },
    {
      shows: 'T1',
      name: 'an absolute target of the same host is that host',
      request: { path: `http://acme.api.example.com${ORDER}`, host: 'acme.api.example.com', as: 'acme key' },
      expect: reaches('orders-beta', ACME_KEY),
    },
    {
      shows: 'T1',
      name: 'two lines of Host are no choice, whatever stands between them',
      request: {
        path: ORDER,
        host: 'globex.api.example.com',
        as: 'acme key',
        headers: ['X-Between: 1', 'host: acme.api.example.com'],
      },
      expect: { status: [400, 403], backend: 'not reached' },
    },
    {
      shows: 'T1',
      name: 'a second host behind a folded line is no choice either',
      request: {
        path: ORDER,
        host: 'acme.api.example.com\r\n globex.api.example.com',
        as: 'acme key',
      },
      expect: { status: [400, 403], backend: 'not reached' },
    },
  ],
}
