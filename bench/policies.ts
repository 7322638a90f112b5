/** The policies that are measured: one with everything a decision can ask for, and one with very many tenants. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'

const FLAGS = {
  flags: {
    backend: {
      state: 'ENABLED',
      variants: { stable: 'stable', beta: 'beta' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'beta', 'stable'] },
    },
  },
}

export interface BenchPolicy {
  readonly text: string
  /** What it names, by file name. */
  readonly files: Readonly<Record<string, string>>
  /** Both are acme's and may read orders. */
  readonly key: string
  readonly token: string
}

/** Three limits, so wide that every request is admitted and charged; a flag; `routes` routes, of which the last is asked for. */
export async function benchPolicy(routes = 10): Promise<BenchPolicy> {
  const key = createApiKey('bench', randomBytes)
  const { token, jwks } = await signedToken()
  const others = Array.from(
    { length: routes - 1 },
    (_, index) => `  - { name: other-${index}, match: { path: "/v1/other-${index}/{id}" } }\n`,
  )
  const text = `version: 1
issuers: [{ issuer: "https://id.bench", jwks: jwks.json, audiences: [orders], algorithms: [RS256], claims: { tenant: org, roles: roles } }]
plans:
  three: { limits: [{ name: burst, rate: 1000000000/s }, { name: minute, rate: 1000000000/m }, { name: daily, quota: 1000000000/day }] }
tenants:
  acme: { plan: three, attributes: { beta: true }, apiKeys: [{ id: ci, hash: "${storedHash(key)}", roles: [buyer], scopes: [orders:read] }] }
upstreams: [stable, beta]
flags: flags.json
routes:
${others.join('')}  - { name: read, match: { path: "/v1/orders/{id}", methods: [GET] }, require: { scopes: [orders:read], roles: [buyer] }, upstream: { default: stable, flag: backend } }
`
  return { key, token, text, files: { 'jwks.json': jwks, 'flags.json': JSON.stringify(FLAGS) } }
}

/** Valid for as long as any benchmark runs, with claims as an identity provider writes them. */
async function signedToken() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const token = await new SignJWT({ org: 'acme', scope: 'openid profile orders:read', roles: ['buyer'] })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'bench' })
    .setIssuer('https://id.bench')
    .setAudience('orders')
    .setSubject('ann')
    .setJti('b5f0c2f4-7f5e-4a3b-9c57-2f1f5f0f7d11')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(privateKey)
  return { token, jwks: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256' }] }) }
}

/** `count` tenants, each with an alias and an API key, after acme with `key`. Another `edition`, another version of the policy. */
export function manyTenants(count: number, key: string, edition: number): string {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  const tenants = Array.from(
    { length: count },
    (_, index) => `  tenant-${index}:
    plan: ${index % 10 === 0 ? 'pro' : 'free'}
    aliases: [org_${index}]
    apiKeys:
      - { id: ci, hash: "sha256:${hash(`key ${index}`)}", scopes: [orders:read, orders:write] }
`,
  )
  return `# edition ${edition}
version: 1
plans:
  free: { limits: [{ name: burst, rate: 5/s, burst: 10 }, { name: daily, quota: 100/day }] }
  pro: { limits: [{ name: burst, rate: 1000000/s }, { name: daily, quota: 1000000000/day }] }
routes:
  - { name: read, match: { path: "/v1/orders/{id}", methods: [GET] }, require: { scopes: [orders:read] } }
tenants:
  acme: { plan: pro, apiKeys: [{ id: ci, hash: "${storedHash(key)}", scopes: [orders:read] }] }
${tenants.join('')}`
}

export interface Folder {
  readonly path: string
  write(name: string, content: string | Uint8Array): string
  remove(): void
}

/** A folder of its own for sockets and files; the caller removes it. */
export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'tg-bench-'))
  return {
    path,
    write(name, content) {
      const file = join(path, name)
      writeFileSync(file, content)
      return file
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
