/** CPU to prove one credential, by its kind: seen before or not, good or bad. */
import { KeyObject, randomBytes, verify } from 'node:crypto'
import { CompactSign, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { authenticate, createCredentials } from '../core/credentials/authenticate.ts'
import { isRefusal } from '../core/credentials/verdict.ts'
import type { DenyReason } from '../core/decision.ts'
import type { Policy } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { partsOf, policyOf } from '../test/support/gate.ts'
import { measureSteps, noiseText, reference, type Step } from './measure.ts'
import { gatewayRequest } from './requests.ts'
import type { Table } from './table.ts'

const ISSUER = 'https://id.bench'
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

interface Signer {
  readonly alg: string
  readonly privateKey: Key
  readonly publicKey: Key
  readonly jwk: object
}

/** What forgets everything: each token is seen for the first time, each time. */
const FORGETFUL = { get: () => undefined, set() {}, delete() {} }

export async function benchCredentials(): Promise<Table> {
  const signers = await Promise.all(ALGORITHMS.map(newSigner))
  const key = newApiKey()
  const policy = policyWith(signers, key)
  const warm = createCredentials(policy, partsOf({ introspect: async () => ({ text: ACTIVE }) }))
  const cold = createCredentials(policy, partsOf({ verified: FORGETFUL, refused: FORGETFUL }))

  const steps: Step[] = [reference()]
  const add = async (
    name: string,
    request: GatewayRequest,
    expected: DenyReason | 'proven',
    memory = warm,
    budget?: number,
  ) => {
    const call = () => authenticate(request, undefined, policy, memory, Date.now())
    const proof = await call()
    const outcome = isRefusal(proof) ? proof.denied : 'proven'
    if (outcome !== expected) throw new Error(`${name}: ${outcome} instead of ${expected}`)
    steps.push({ name, call, ...(budget !== undefined && { budget }) })
  }
  for (const signer of signers) {
    await add(`first sight of a token, ${signer.alg}`, bearer(await tokenOf(signer)), 'proven', cold, 50)
  }
  for (const signer of signers) {
    await add(
      `bad signature, ${signer.alg}, first sight`,
      bearer(await forgedToken(signer)),
      'invalid_credential',
      cold,
    )
  }
  const [rsa] = signers
  if (rsa) {
    steps.push(...(await signaturesAlone(rsa)))
    await add('token seen before', bearer(await tokenOf(rsa)), 'proven', warm, 1.5)
    await add('bad token seen before', bearer(await forgedToken(rsa)), 'invalid_credential')
  }
  await add('opaque token asked about before', bearer('2YotnFZFEjr1zCsicMWpAA'), 'proven', warm, 1.5)
  await add('garbage that looks like a token', bearer('a.b.c'), 'invalid_credential', cold)
  await add('key', apiKey(key), 'proven', warm, 1.5)
  await add('unknown key, checksum right', apiKey(newApiKey()), 'invalid_credential')
  await add(
    'unknown key, checksum wrong',
    apiKey(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`),
    'invalid_credential',
  )
  await add('garbage as a key', apiKey('not-one-of-ours'), 'invalid_credential')

  const figures = await measureSteps(steps)
  return {
    title: 'credentials: CPU per call',
    reference: 'JSON.parse of 1 kB',
    figures,
    notes: [noiseText(figures[0])],
  }
}

/** What of a first sight is not ours: jose with the key in its hand, and the platform's arithmetic without jose's promises. */
async function signaturesAlone(signer: Signer): Promise<Step[]> {
  const token = await tokenOf(signer)
  const end = token.lastIndexOf('.')
  const [input, signature] = [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), 'base64url')]
  // the types of jose and of node:crypto call the same key by two names
  const key = KeyObject.from(signer.publicKey as Parameters<typeof KeyObject.from>[0])
  if (!verify('sha256', input, key, signature)) throw new Error('the signature to measure is bad')
  const rules = { issuer: ISSUER, audience: 'orders', algorithms: [signer.alg] }
  return [
    { name: '  jose alone, RS256', call: () => jwtVerify(token, signer.publicKey, rules) },
    { name: '  node:crypto alone, RS256', call: () => verify('sha256', input, key, signature) },
  ]
}

const ACTIVE = JSON.stringify({ active: true, org: 'acme', sub: 'ann', client_id: 'shop', scope: 'orders:read' })

const bearer = (token: string) => gatewayRequest({ authorization: `Bearer ${token}` })
const apiKey = (key: string) => gatewayRequest({ 'x-api-key': key })
const newApiKey = () => createApiKey('bench', randomBytes)

async function newSigner(alg: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid: alg, alg } }
}

function policyWith(signers: readonly Signer[], key: string): Policy {
  const text = `version: 1
identity: { sources: [apiKey, jwt, opaqueToken, host] }
issuers:
  - { issuer: "${ISSUER}", jwks: jwks.json, audiences: [orders], algorithms: [${ALGORITHMS.join(', ')}], claims: { tenant: org, roles: roles } }
  - { issuer: "https://opaque.bench", introspection: { url: "https://opaque.bench/introspect", clientId: bench, clientSecret: { file: secret }, cacheFor: 5m }, claims: { tenant: org } }
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, apiKeys: [{ id: ci, hash: "${storedHash(key)}" }] } }
routes: [{ name: all, match: { path: "/**" } }]
`
  return policyOf(text, { 'jwks.json': JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }), secret: 'of a bench' })
}

/** Claims as an identity provider writes them. */
const claimsOf = (sub: string) => ({ org: 'acme', sub, scope: 'openid profile orders:read', roles: ['buyer'] })

function tokenOf({ alg, privateKey }: Signer): Promise<string> {
  return new SignJWT(claimsOf('ann'))
    .setProtectedHeader({ alg, typ: 'JWT', kid: alg })
    .setIssuer(ISSUER)
    .setAudience('orders')
    .setJti('b5f0c2f4-7f5e-4a3b-9c57-2f1f5f0f7d11')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(privateKey)
}

/** A good header and good claims under the signature of something else. */
async function forgedToken(signer: Signer): Promise<string> {
  const other = await new CompactSign(new TextEncoder().encode('{}'))
    .setProtectedHeader({ alg: signer.alg })
    .sign(signer.privateKey)
  const token = await tokenOf(signer)
  return `${token.slice(0, token.lastIndexOf('.'))}${other.slice(other.lastIndexOf('.'))}`
}
