/** A backend verifies who calls it with nothing but the header and the page of public keys, of a real process. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type CheckClient, checkOf, createClient } from '../ext-authz/client.ts'
import { createFolder, type Folder, policyText, type Serving, serve } from './serving.ts'

let folder: Folder
let serving: Serving
let client: CheckClient

const policyWith = (token: string) =>
  policyText(folder.key).replace(
    'identity:\n',
    `identity:\n  token: { issuer: "https://gateway.example", audience: backends${token} }\n`,
  )

async function start(policy: string): Promise<void> {
  folder.writePolicy(policy)
  const listen = ['--listen', `unix:${folder.path}/tg.sock`, '--http', '127.0.0.1:0']
  serving = await serve(['--policy', folder.policyFile, ...listen])
  client = createClient(serving.grpc[0] ?? '')
}

beforeEach(() => {
  folder = createFolder()
})

afterEach(async () => {
  client.close()
  serving.signal('SIGTERM')
  expect(await serving.exit).toBe(0)
  folder.remove()
})

/** What the backend would get. */
async function identity(headers: Record<string, string> = { 'x-api-key': folder.key }, path = '/v1/orders/1') {
  const { okResponse } = await client.check(checkOf({ path, headers }))
  return okResponse?.headers.find(({ header }) => header.key === 'x-tenantgate-identity')?.header.value
}

const page = () => fetch(`${serving.http}/.well-known/jwks.json`)

/** A backend of its own, which has seen no key before. */
async function verified(token: string | undefined, algorithm = 'ES256'): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${serving.http}/.well-known/jwks.json`))
  const rules = { issuer: 'https://gateway.example', audience: 'backends', typ: 'JWT', algorithms: [algorithm] }
  return (await jwtVerify(token ?? '', keys, rules)).payload
}

const rewritten = async (policy: string) => {
  const { length } = serving.lines.filter(({ msg }) => msg === 'policy reloaded')
  folder.writePolicy(policy)
  await vi.waitUntil(() => serving.lines.filter(({ msg }) => msg === 'policy reloaded').length > length, {
    timeout: 20_000,
  })
}

const madeKeys = () => serving.lines.filter(({ msg }) => msg.includes('no key that signs identities'))

describe('where the policy names no key', () => {
  it('one is made, told once, kept over reloads, and verifies', async () => {
    await start(policyWith(''))
    const token = await identity()
    expect(await verified(token)).toMatchObject({ sub: 'apiKey:ci', tenant: 'acme', plan: 'pro', scope: 'orders:read' })
    await rewritten(policyWith(', lifetime: 5m'))
    const later = await identity()
    expect(later).not.toBe(token)
    for (const each of [token, later]) await verified(each)
    expect(madeKeys()).toMatchObject([{ level: 'warn', algorithm: 'ES256' }])
    expect(serving.output()).not.toContain(token)
    expect(serving.output()).not.toContain('PRIVATE')
  })

  it('a client’s own is no help, and who is nobody has none', async () => {
    await start(policyWith(', algorithm: EdDSA'))
    const token = await identity()
    await verified(token, 'EdDSA')
    const lie = { 'x-tenantgate-identity': token ?? '' }
    expect((await client.check(checkOf({ headers: lie }))).deniedResponse?.status.code).toBe(401)
    const { okResponse } = await client.check(checkOf({ path: '/healthz', headers: lie }))
    expect(okResponse?.headers.map(({ header }) => header.key)).not.toContain('x-tenantgate-identity')
    expect(okResponse?.headersToRemove).toContain('x-tenantgate-identity')
  })
})

describe('where the policy names keys', () => {
  it('they rotate without a token that cannot be verified', async () => {
    const newKey = (file: string) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      writeFileSync(join(folder.path, file), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    }
    newKey('old.pem')
    newKey('new.pem')
    const tokens: (string | undefined)[] = []
    await start(policyWith(', keys: [{ file: old.pem }]'))
    tokens.push(await identity())
    for (const keys of ['old.pem }, { file: new.pem', 'new.pem }, { file: old.pem']) {
      await rewritten(policyWith(`, keys: [{ file: ${keys} }]`))
      tokens.push(await identity())
      for (const token of tokens) expect(await verified(token)).toMatchObject({ tenant: 'acme' })
    }
    const kids = tokens.map((token) => decodeProtectedHeader(token ?? '').kid)
    expect([kids[0] === kids[1], kids[1] === kids[2]]).toEqual([true, false])
    expect(madeKeys()).toEqual([])
    const answer = await page()
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(await answer.text()).not.toMatch(/"d"/)
  })
})

describe('where the policy signs nothing', () => {
  it('there is no header and no page', async () => {
    await start(policyText(folder.key))
    expect(await identity()).toBeUndefined()
    expect((await page()).status).toBe(404)
  })
})
