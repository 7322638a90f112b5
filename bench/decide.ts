/** CPU per warm decision: a key or a token seen before, three limits, a flag. */
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { createCredentials } from '../core/credentials/authenticate.ts'
import { decide, type Given } from '../core/decide.ts'
import { createFlags } from '../core/flags/evaluate.ts'
import type { GatewayRequest } from '../core/request.ts'
import { compilePolicy } from '../policy/compile.ts'
import { parsePolicy } from '../policy/parse.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { createVerifiedTokens } from '../stores/verified-tokens.ts'
import { cpuPerCall, type Line } from './measure.ts'

const FLAGS = JSON.stringify({
  flags: {
    backend: {
      state: 'ENABLED',
      variants: { stable: 'stable', beta: 'beta' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'beta', 'stable'] },
    },
  },
})

/** A policy with one key and one issuer; limits are wide, so that every request is admitted and charged. */
export async function benchPolicy() {
  const key = createApiKey('bench', randomBytes)
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const token = await new SignJWT({ org: 'acme', scope: 'orders:read', roles: ['buyer'] })
    .setProtectedHeader({ alg: 'RS256', kid: 'bench' })
    .setIssuer('https://id.bench')
    .setAudience('orders')
    .setSubject('ann')
    .setExpirationTime('12h')
    .sign(privateKey)
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256' }] })
  const text = `
version: 1
issuers: [{ issuer: "https://id.bench", jwks: jwks.json, audiences: [orders], algorithms: [RS256], claims: { tenant: org, roles: roles } }]
plans:
  three: { limits: [{ name: burst, rate: 1000000/s }, { name: minute, rate: 60000000/m }, { name: daily, quota: 1000000000/day }] }
tenants:
  acme: { plan: three, attributes: { beta: true }, apiKeys: [{ id: ci, hash: "${storedHash(key)}", scopes: [orders:read] }] }
upstreams: [stable, beta]
routes:
  - { name: read, match: { path: "/v1/orders/{id}", methods: [GET] }, require: { scopes: [orders:read] }, upstream: { default: stable, flag: backend } }
  - { name: bare, match: { path: /v1/bare }, require: { scopes: [orders:read] } }
flags: flags.json
`
  return { key, token, text, files: { 'jwks.json': jwks, 'flags.json': FLAGS } as Record<string, string> }
}

export async function benchDecide(): Promise<Line[]> {
  const { key, token, text, files } = await benchPolicy()
  const readFile = (path: string) => ({ text: files[path.slice(1)] ?? '' })
  const parsed = parsePolicy(text, { file: '/bench.yaml', readFile, env: {} })
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '))
  const policy = compilePolicy(parsed.parts)
  const given: Given = {
    policy,
    credentials: createCredentials(policy, createVerifiedTokens(), () => Promise.reject(new Error('no issuer'))),
    limits: createMemoryLimits(),
    flags: createFlags(policy.flags),
    now: Date.now(),
  }
  const byKey = request('/v1/orders/17', { 'x-api-key': key })
  const byToken = request('/v1/orders/17', { authorization: `Bearer ${token}` })
  await decide(byToken, given)
  return [
    { name: 'decide, warm: API key, 3 limits, flag', cpuMicros: cpuPerCall(() => decide(byKey, given)), budget: 4 },
    {
      name: 'decide, warm: RS256 token, 3 limits, flag',
      cpuMicros: cpuPerCall(() => decide(byToken, given)),
      budget: 4,
    },
    {
      name: 'decide: refused for a missing key',
      cpuMicros: cpuPerCall(() => decide(request('/v1/orders/17', {}), given)),
    },
  ]
}

/** With a dozen headers, as a browser's request through a gateway has them. */
function request(path: string, headers: Record<string, string>): GatewayRequest {
  const usual = {
    ':method': 'GET',
    ':path': path,
    ':authority': 'api.bench',
    ':scheme': 'https',
    'user-agent': 'bench/1',
  }
  const more = {
    accept: '*',
    'accept-encoding': 'gzip',
    'x-request-id': 'b',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '192.0.2.1',
  }
  return {
    id: 'b',
    method: 'GET',
    host: 'api.bench',
    path,
    headers: { ...usual, ...more, ...headers },
    clientAddress: '192.0.2.1',
  }
}
