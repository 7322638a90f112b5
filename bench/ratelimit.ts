/** CPU of the server's process per ShouldRateLimit over gRPC, with both kinds of domain, beside a server that counts nothing. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadRateLimit } from '../ext-authz/service.ts'
import { HITS_PATH } from './caller.ts'
import { type Contender, contend } from './contend.ts'
import { temporaryFolder } from './policies.ts'
import { type ServerProcess, startEmptyServer, startServe } from './server-process.ts'
import type { Table } from './table.ts'

/** Limits that no run reaches. */
const PLENTY = 4_000_000_000

const policy = `version: 1
identity: { sources: [apiKey] }
plans:
  pro:
    limits:
      - { name: daily, quota: ${PLENTY}/day }
      - { name: user, quota: ${PLENTY}/day, by: [user] }
      - { name: ip, quota: ${PLENTY}/day, by: [ip] }
tenants: { acme: { plan: pro } }
routes: [{ name: all, match: { path: /** } }]
`

const config = `domain: edge
descriptors:
  - key: tenant
    rate_limit: { unit: day, requests_per_unit: ${PLENTY} }
  - key: plan
    value: pro
    descriptors:
      - key: user
        rate_limit: { unit: day, requests_per_unit: ${PLENTY} }
  - key: remote_address
    rate_limit: { unit: day, requests_per_unit: ${PLENTY} }
`

type Entries = Readonly<Record<string, string>>

const ADDRESS = { remote_address: '192.0.2.7' }
const ASKED: Readonly<Record<string, readonly Entries[]>> = {
  edge: [{ tenant: 'acme' }, { plan: 'pro', user: 'u1' }, ADDRESS],
  tenantgate: [{ tenant: 'acme' }, { tenant: 'acme', user: 'u1' }, { tenant: 'acme', ...ADDRESS }],
}

export async function benchRatelimit(): Promise<Table> {
  const folder = temporaryFolder()
  mkdirSync(join(folder.path, 'limits'))
  folder.write('limits/edge.yaml', config)
  const empty = await startEmptyServer(join(folder.path, 'empty.sock'))
  const more = ['--ratelimit-config', join(folder.path, 'limits')]
  const serve = await startServe(folder.write('policy.yaml', policy), join(folder.path, 'serve.sock'), more)
  const contender = (name: string, server: ServerProcess, domain: string, count: number): Contender => {
    const message = hitsMessage(domain, (ASKED[domain] ?? []).slice(0, count))
    return { name, server, message, file: folder.write(`${name.replaceAll(/\W/g, '-')}.bin`, message) }
  }
  try {
    return await contend({
      title: 'ratelimit: CPU of the server per ShouldRateLimit over gRPC on a Unix socket, at saturation',
      path: HITS_PATH,
      assertGood: assertOk,
      contenders: [
        contender('empty ShouldRateLimit, grpc-js', empty, 'edge', 3),
        contender('configured domain, 1 descriptor', serve, 'edge', 1),
        contender('configured domain, 3 descriptors', serve, 'edge', 3),
        contender('domain tenantgate, 1 descriptor', serve, 'tenantgate', 1),
        contender('domain tenantgate, 3 descriptors', serve, 'tenantgate', 3),
      ],
    })
  } finally {
    await Promise.all([empty.stop(), serve.stop()])
    folder.remove()
  }
}

function hitsMessage(domain: string, descriptors: readonly Entries[]): Buffer {
  const body = loadRateLimit().ShouldRateLimit.requestSerialize({
    domain,
    descriptors: descriptors.map((entries) => ({
      entries: Object.entries(entries).map(([key, value]) => ({ key, value })),
    })),
  })
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(body.length, 1)
  return Buffer.concat([prefix, body])
}

function assertOk(answer: Buffer): void {
  const { overallCode } = loadRateLimit().ShouldRateLimit.responseDeserialize(answer)
  if (overallCode !== 1) throw new Error(`the request to measure is answered with code ${overallCode}`)
}
