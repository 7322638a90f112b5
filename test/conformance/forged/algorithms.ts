/** Tokens that want to be verified by another algorithm or another key than the policy names. */
import { type KeyObject, randomBytes } from 'node:crypto'
import { always, eddsa, es256, hs256, jws, type KeyRing, publicText, rs256 } from './jws.ts'

type Make = (ring: KeyRing) => string

const withAlg =
  (alg: unknown, header: object = { kid: 'ec' }): Make =>
  ({ claims, ec }) =>
    jws({ ...header, alg }, claims, es256(ec))

const macOf =
  (form: 'pem' | 'der' | 'jwk', issuer: 'main' | 'legacy' = 'main'): Make =>
  ({ claims, rsa, issuers }) =>
    jws({ alg: 'HS256', kid: 'rsa' }, { ...claims, iss: issuers[issuer] }, hs256(publicText(rsa, form)))

/** By the forger's own key, with a header that brings or names it. */
const brought =
  (header: (key: KeyObject) => object): Make =>
  ({ claims, stranger }) =>
    jws({ alg: 'ES256', ...header(stranger) }, claims, es256(stranger))

const named = (kid: unknown): Make => brought(() => ({ kid }))

export const ALGORITHMS = {
  'alg None token': ({ claims }) => jws({ alg: 'None' }, claims, always(Buffer.alloc(0))),
  'alg NONE token': ({ claims }) => jws({ alg: 'NONE' }, claims, always(Buffer.from('x'))),
  'alg nOnE token': withAlg('nOnE'),
  'no alg token': withAlg(undefined),
  'empty alg token': withAlg(''),
  'list of algs token': withAlg(['ES256']),
  'lower-case alg token': withAlg('es256'),

  'public JWK as secret token': macOf('jwk'),
  'public DER as secret token': macOf('der'),
  'public key as legacy secret token': macOf('pem', 'legacy'),
  'empty secret token': ({ claims }) => jws({ alg: 'HS256', kid: 'ec' }, claims, hs256('')),
  'empty legacy secret token': ({ claims, issuers }) =>
    jws({ alg: 'HS256' }, { ...claims, iss: issuers.legacy }, hs256('')),
  "another issuer's secret token": ({ claims, secret }) => jws({ alg: 'HS256' }, claims, hs256(secret)),
  "main issuer's key for legacy token": ({ claims, rsa, issuers }) =>
    jws({ alg: 'RS256', kid: 'rsa' }, { ...claims, iss: issuers.legacy }, rs256(rsa)),
  "main issuer's key for partner token": ({ claims, ec, issuers }) =>
    jws({ alg: 'ES256', kid: 'ec' }, { ...claims, iss: issuers.partner, org: 'globex' }, es256(ec)),
  "partner's key for main issuer token": ({ claims, partner }) =>
    jws({ alg: 'EdDSA', kid: 'partner' }, claims, eddsa(partner)),

  'ES256 with the RSA key token': withAlg('ES256', { kid: 'rsa' }),
  'RS256 with the EC key token': ({ claims, rsa }) => jws({ alg: 'RS256', kid: 'ec' }, claims, rs256(rsa)),
  'SHA-1 under RS256 token': ({ claims, rsa }) => jws({ alg: 'RS256', kid: 'rsa' }, claims, rs256(rsa, 'sha1')),

  'embedded jwk token': brought((key) => ({ jwk: JSON.parse(String(publicText(key, 'jwk'))) })),
  "embedded jwk under the issuer's kid token": brought((key) => ({
    kid: 'ec',
    jwk: JSON.parse(String(publicText(key, 'jwk'))),
  })),
  'jku token': brought(() => ({ kid: 'mine', jku: 'https://evil.example/jwks.json' })),
  'x5u token': brought(() => ({ kid: 'mine', x5u: 'https://evil.example/chain.pem' })),
  'x5c token': brought((key) => ({ x5c: [Buffer.from(publicText(key, 'der')).toString('base64')] })),

  'kid of a path token': ({ claims }) => jws({ alg: 'HS256', kid: '../../../../dev/null' }, claims, hs256('')),
  'kid of SQL token': named("ec' UNION SELECT 'forged"),
  'kid of a command token': named('ec|/usr/bin/id'),
  'kid of 4 kB token': named('k'.repeat(4096)),
  'list of kids token': named(['ec']),
  'kid as object token': named({ ec: 1 }),
  'kid as number token': named(0),
  'kid of every object token': named('__proto__'),
  'kid of a constructor token': named('constructor'),

  'unknown crit token': ({ claims, ec }) =>
    jws({ alg: 'ES256', kid: 'ec', crit: ['exp-by-us'], 'exp-by-us': 1 }, claims, es256(ec)),
  'empty crit token': ({ claims, ec }) => jws({ alg: 'ES256', kid: 'ec', crit: [] }, claims, es256(ec)),
  'text as crit token': ({ claims, ec }) => jws({ alg: 'ES256', kid: 'ec', crit: 'b64' }, claims, es256(ec)),
  'crit of a known name token': ({ claims, ec }) => jws({ alg: 'ES256', kid: 'ec', crit: ['alg'] }, claims, es256(ec)),
  'b64 false token': ({ claims, ec }) => jws({ alg: 'ES256', kid: 'ec', b64: false, crit: ['b64'] }, claims, es256(ec)),

  'JWE token': () => `${encrypted({ alg: 'RSA-OAEP', enc: 'A256GCM', zip: 'DEF' })}.${fourParts()}`,
  'JWE of dear work token': () =>
    `${encrypted({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 - 1, p2s: 'AAAA' })}.${fourParts()}`,
} as const satisfies Record<string, Make>

const encrypted = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url')
const fourParts = () => Array.from({ length: 4 }, () => randomBytes(16).toString('base64url')).join('.')
