/** How `serve` stops: what is under way is answered, within a bound. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { type CheckClient, checkOf, createClient } from '../ext-authz/client.ts'
import { createFolder, type Folder, type Serving, serve } from './serving.ts'

/** An issuer that answers for its keys only when it is told to: a Check with its token stays under way. */
interface SlowIssuer {
  readonly server: Server
  answer(): void
}

function slowIssuer(): SlowIssuer {
  const held: ServerResponse[] = []
  const server = createServer((_request, response) => void held.push(response))
  const answer = () => {
    for (const response of held) response.end('{"keys":[]}')
  }
  return { server, answer }
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const TOKEN = [
  part({ alg: 'RS256', kid: 'a' }),
  part({ iss: 'https://id.example', aud: 'orders', sub: 'u1', exp: 4_000_000_000 }),
  'c2ln',
].join('.')

let issuer: SlowIssuer
let folder: Folder
let serving: Serving
let client: CheckClient

async function start(...args: string[]): Promise<void> {
  serving = await serve(['--policy', folder.policyFile, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...args])
  client = createClient(serving.grpc[0] ?? '')
}

beforeEach(async () => {
  issuer = slowIssuer()
  await new Promise<void>((resolve) => issuer.server.listen(0, '127.0.0.1', resolve))
  const { port } = issuer.server.address() as AddressInfo
  folder = createFolder(`issuers:
  - { issuer: https://id.example, jwks: "http://127.0.0.1:${port}/jwks.json", audiences: [orders], algorithms: [RS256], claims: { tenant: org } }
`)
})

afterEach(async () => {
  client.close()
  serving.signal('SIGKILL')
  await serving.exit
  issuer.server.close()
  issuer.server.closeAllConnections()
  folder.remove()
})

/** A call that the server has begun and cannot end yet; what comes of it, an answer or an error. */
async function underWay() {
  const outcome = client.check(checkOf({ headers: { authorization: `Bearer ${TOKEN}` } })).catch((error) => error)
  // calls on one connection begin in order: when a later one is answered, the one before it has begun
  expect((await client.check(checkOf())).deniedResponse?.status.code).toBe(401)
  return { outcome }
}

describe('SIGTERM', () => {
  it('answers the call under way, says not ready meanwhile, takes no new connection, and exits 0', async () => {
    await start()
    const call = await underWay()
    serving.signal('SIGTERM')
    await serving.line('draining')
    await expect.poll(async () => (await fetch(`${serving.http}/readyz`)).status).toBe(503)
    expect((await fetch(`${serving.http}/healthz`)).status).toBe(200)
    const late = createClient(serving.grpc[0] ?? '')
    await expect(late.check(checkOf())).rejects.toMatchObject({ code: 14 })
    late.close()
    issuer.answer()
    expect(await call.outcome).toMatchObject({ deniedResponse: { status: { code: 401 } } })
    expect(await serving.exit).toBe(0)
    expect(serving.lines.map(({ msg }) => msg).filter((msg) => msg !== 'decision')).toEqual([
      'listening',
      'draining',
      'stopped',
    ])
    expect(await serving.line('stopped')).toMatchObject({ allAnswered: true })
  })

  it('ends within --drain-timeout when a call never ends', async () => {
    await start('--drain-timeout', '50ms')
    const call = await underWay()
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    expect(await call.outcome).toMatchObject({ code: expect.any(Number) })
    expect(await serving.line('stopped')).toMatchObject({ allAnswered: false })
  })

  it('sent twice ends at once', async () => {
    await start('--drain-timeout', '10m')
    const call = await underWay()
    serving.signal('SIGTERM')
    await serving.line('draining')
    serving.signal('SIGINT')
    expect(await serving.exit).toBe(1)
    await call.outcome
  })
})

it('SIGINT stops as SIGTERM does', async () => {
  await start()
  serving.signal('SIGINT')
  expect(await serving.exit).toBe(0)
  expect(await serving.line('draining')).toMatchObject({ signal: 'SIGINT' })
})

describe('when nobody reads what it logs', () => {
  /** More denials than a pipe holds lines of. */
  async function manyDenials() {
    for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: 50 }, () => client.check(checkOf({}))))
  }

  it('decisions go on and SIGTERM ends it, with a reader that has stopped', async () => {
    await start()
    serving.process.stdout?.pause()
    await manyDenials()
    serving.signal('SIGTERM')
    expect(await new Promise((resolve) => serving.process.once('exit', resolve))).toBe(0)
  })

  it('decisions go on and SIGTERM ends it, with a disk that is full', async () => {
    const full = openSync('/dev/full', 'w')
    const socket = join(folder.path, 'gate.sock')
    const args = [join(packageRoot, 'cli', 'main.ts'), 'serve', '--policy', folder.policyFile]
    const child = spawn(process.execPath, [...args, '--listen', `unix:${socket}`, '--http', 'off'], {
      stdio: ['ignore', full, 'inherit'],
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true)
    client = createClient(`unix:${socket}`)
    await manyDenials()
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    closeSync(full)
  })

  it('decisions go on and SIGTERM ends it, with a reader that has gone', async () => {
    await start()
    serving.process.stdout?.destroy()
    await manyDenials()
    serving.signal('SIGTERM')
    expect(await new Promise((resolve) => serving.process.once('exit', resolve))).toBe(0)
  })
})
