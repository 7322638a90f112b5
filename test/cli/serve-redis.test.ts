/** `serve` over a real Redis, as real processes: what they share, and what holds while it is away. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../demo/free-port.ts'
import { checkOf, createClient } from '../ext-authz/client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { createFolder, type Folder, launch, policyText, run, type Serving, serve } from './serving.ts'

let redis: RedisServer
let folder: Folder
const started: Serving[] = []

const LIMITED = `plans:
  pro: { limits: [{ name: yearly, quota: 5/year, exact: true }] }
`

/** The policy of the tests with a limit of five, and with state there. */
function sharedPolicy(state: string): string {
  const text = policyText(folder.key).replace(/plans:\n.*\n/, LIMITED)
  return `${text}state: ${state}\n`
}

async function start(args: readonly string[], env = {}): Promise<Serving> {
  const serving = await serve(['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...args], env)
  started.push(serving)
  return serving
}

/** Others may have the machine meanwhile. */
const SOON = { timeout: 15_000 }

/** With keys of its own in a Redis that others may use. */
const url = () => `${redis.url}?prefix=${redis.place.prefix}`
const roomy = () => `{ store: "${url()}", timeout: 500ms, lookupTimeout: 1s }`

async function checks(serving: Serving, count: number, key = folder.key) {
  const client = createClient(serving.grpc[0] ?? '')
  const ask = checkOf({ path: '/v1/orders/1', headers: { 'x-api-key': key } })
  const answers = await Promise.all(Array.from({ length: count }, () => client.check(ask)))
  client.close()
  return answers.map(({ deniedResponse }) => deniedResponse?.status.code ?? 200)
}

const ready = async ({ http }: Serving) => {
  const answer = await fetch(`${http}/readyz`)
  return [answer.status, await answer.text()]
}

beforeEach(async () => {
  redis = await startRedis({ own: true })
  folder = createFolder()
})

afterEach(async () => {
  for (const serving of started.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  await redis.stop()
  folder.remove()
})

/** Puts the policy and its tenants into the Redis. */
async function imported(state = '{ timeout: 500ms, lookupTimeout: 1s }'): Promise<void> {
  folder.writePolicy(sharedPolicy(state))
  expect(await run(['tenants', 'import', folder.policyFile, '--redis', url()])).toMatchObject({ code: 0 })
}

const both = (policy: string) => Promise.all([start(['--policy', policy]), start(['--policy', policy])])
const codesOf = async (serving: Serving, count = 5, key = folder.key) => [...new Set(await checks(serving, count, key))]

describe('two instances with a policy file', () => {
  it('admit 5 of 400 at once on a limit of 5', async () => {
    folder.writePolicy(sharedPolicy(roomy()))
    const instances = await both(folder.policyFile)
    const answers = (await Promise.all(instances.map((serving) => checks(serving, 200)))).flat()
    expect(answers.filter((code) => code === 200)).toHaveLength(5)
    expect(answers.filter((code) => code === 429)).toHaveLength(395)
  })

  it('refuse a key that was revoked by the administration of one of them, both and at once', async () => {
    folder.writePolicy(policyText(folder.key, `state: ${roomy()}\n`))
    const server = `unix:${folder.path}/admin.sock`
    const env = { TENANTGATE_ADMIN_TOKEN: randomBytes(32).toString('hex') }
    const instances = [await start(['--policy', folder.policyFile, '--admin', server], env)]
    instances.push(await start(['--policy', folder.policyFile]))
    for (const serving of instances) expect(await codesOf(serving)).toEqual([200])
    const revoke = ['keys', 'revoke', '--tenant', 'acme', '--id', 'ci', '--server', server]
    expect(await run(revoke, env)).toMatchObject({ code: 0 })
    for (const serving of instances) await expect.poll(() => codesOf(serving, 1), SOON).toEqual([401])
  })

  it('start without their Redis, let in nobody whose revocation they could not know of, and mend by themselves', async () => {
    await redis.kill()
    folder.writePolicy(policyText(folder.key, `state: ${roomy()}\n`))
    const serving = await start(['--policy', folder.policyFile])
    expect(await ready(serving)).toEqual([503, expect.stringContaining('what was revoked could not be read yet')])
    expect(await codesOf(serving)).toEqual([503])
    await redis.restart()
    await expect.poll(() => ready(serving), SOON).toEqual([200, 'ready\n'])
    expect(await codesOf(serving)).toEqual([200])
  })

  it('are told that a state file has no place there', async () => {
    folder.writePolicy(policyText(folder.key, `state: ${roomy()}\n`))
    const state = `${folder.path}/state`
    writeFileSync(state, '', { mode: 0o600 })
    const { code, stderr } = await run(['serve', '--policy', folder.policyFile, '--state', state, '--http', 'off'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('--state: issued keys and revocations stand in Redis')])
  })
})

describe('two instances with the policy in Redis', () => {
  it('admit 5 of 400 at once on a limit of 5', async () => {
    await imported()
    const instances = await both(url())
    const answers = (await Promise.all(instances.map((serving) => checks(serving, 200)))).flat()
    expect(answers.filter((code) => code === 200)).toHaveLength(5)
    expect(answers.filter((code) => code === 429)).toHaveLength(395)
  })

  it('know a tenant that is set later, and an import that takes its place', async () => {
    await imported()
    const [one, other] = await both(url())
    expect(await codesOf(one, 1)).toEqual([200])
    folder.writePolicy(sharedPolicy('{}').replace('plan: pro', 'plan: pro\n    status: suspended'))
    expect(await run(['tenants', 'import', folder.policyFile, '--redis', url()])).toMatchObject({ code: 0 })
    for (const serving of [one, other]) await expect.poll(() => codesOf(serving, 1), SOON).toEqual([403])
    expect(await one.line('policy reloaded')).toBeDefined()
  })

  it('refuse a key that `keys revoke --redis` has revoked, both and at once', async () => {
    await imported()
    const instances = await both(url())
    for (const serving of instances) expect(await codesOf(serving, 1)).toEqual([200])
    const revoke = ['keys', 'revoke', '--tenant', 'acme', '--id', 'ci', '--redis', url()]
    expect(await run(revoke)).toMatchObject({ code: 0 })
    for (const serving of instances) await expect.poll(() => codesOf(serving, 1), SOON).toEqual([401])
  })

  it('are not ready before there is a policy, say why, and serve as soon as there is one', async () => {
    const probes = `127.0.0.1:${await freePort()}`
    const starting = serve(['--listen', '127.0.0.1:0', '--http', probes, '--policy', url()])
    const page = async () => {
      const answer = await fetch(`http://${probes}/readyz`)
      return [answer.status, await answer.text()]
    }
    const away = [503, expect.stringMatching(/^no policy is known yet: there is no policy below/)]
    await expect.poll(() => page().catch(() => []), SOON).toEqual(away)
    expect((await fetch(`http://${probes}/healthz`)).status).toBe(200)
    await imported()
    const serving = await starting
    started.push(serving)
    expect(await ready(serving)).toEqual([200, 'ready\n'])
    expect(await codesOf(serving, 1)).toEqual([200])
  })

  it('go on without it for who is known, and say once that it went and once that it is back', async () => {
    await imported()
    const serving = await start(['--policy', url()])
    expect(await codesOf(serving, 1)).toEqual([200])
    await redis.kill()
    expect(await codesOf(serving, 2)).toEqual([200])
    expect(await codesOf(serving, 3, 'a-key-that-was-never-seen')).toEqual([503])
    expect(await ready(serving)).toEqual([200, expect.stringMatching(/^ready, degraded: Redis does not answer/)])
    await redis.restart()
    await serving.line('Redis answers again')
    expect(serving.lines.filter(({ msg }) => msg.startsWith('Redis does not answer'))).toHaveLength(1)
  })

  it('end on SIGTERM while they wait for a policy', async () => {
    await redis.kill()
    const probes = `127.0.0.1:${await freePort()}`
    const child = launch(['serve', '--policy', url(), '--http', probes, '--listen', '127.0.0.1:0'], {})
    const exit = new Promise((resolve) => child.once('exit', resolve))
    await expect
      .poll(
        () =>
          fetch(`http://${probes}/readyz`).then(
            ({ status }) => status,
            () => 0,
          ),
        SOON,
      )
      .toBe(503)
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
  })
})

it('the password of a Redis is told nowhere, whether it is right or wrong', async () => {
  await redis.stop()
  const password = randomBytes(16).toString('hex')
  redis = await startRedis({ own: true, args: ['--requirepass', password] })
  folder.writePolicy(policyText(folder.key))
  const env = { TENANTGATE_REDIS_PASSWORD: password }
  expect(await run(['tenants', 'import', folder.policyFile, '--redis', url()], env)).toMatchObject({ code: 0 })
  const serving = await start(['--policy', url()], env)
  expect(await codesOf(serving, 1)).toEqual([200])
  const metrics = async (of: string) => (await fetch(`${of}/metrics`)).text()
  expect(await metrics(serving.http)).toContain('tenantgate_store_up 1\n')
  await redis.kill()
  await expect.poll(() => metrics(serving.http), SOON).toContain('tenantgate_store_up 0\n')
  await redis.restart()
  await serving.line('Redis answers again')

  const probes = `127.0.0.1:${await freePort()}`
  const wrong = 'wrong-and-not-to-be-told'
  const argv = ['serve', '--policy', url().replace('//', `//:${wrong}@`), '--http', probes, '--listen', '127.0.0.1:0']
  const child = launch(argv, {})
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const page = () => fetch(`http://${probes}/readyz`).then((answer) => answer.text(), String)
  await expect.poll(page, SOON).toMatch(/^no policy is known yet: .*refuses the name or the password/)
  const told = [serving.output(), output, await page(), await metrics(`http://${probes}`), await metrics(serving.http)]
  child.kill('SIGKILL')
  for (const text of told) for (const secret of [password, wrong]) expect(text).not.toContain(secret)
})
