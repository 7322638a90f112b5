/** `--candidate` as processes: behind the real Envoy, behind Kong's protocol, and with its file changed under it. */
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApiKey, storedHash } from '../../core/credentials/api-key.ts'
import { type Backends, startBackends } from '../../demo/backends.ts'
import { type Ask, exchange } from '../../demo/smoke/exchange.ts'
import { REQUEST_KEY } from '../../kong/handover.ts'
import { createKongRpc } from '../kong/harness/pb-client.ts'
import { startEnvoy, type TestEnvoy } from '../support/envoy.ts'
import { until } from '../support/until.ts'
import { createFolder, type Folder, type Serving, startService } from './serving.ts'

const [reader, writer] = [createApiKey('test', randomBytes), createApiKey('test', randomBytes)]
const TOKEN = randomBytes(32).toString('hex')

const policyText = (write = 'orders:write', quota = 20) => `version: 1
plans: { pro: { limits: [{ name: yearly, quota: ${quota}/year }] } }
tenants:
  acme:
    plan: pro
    apiKeys:
      - { id: reader, hash: "${storedHash(reader)}", scopes: [orders:read] }
      - { id: writer, hash: "${storedHash(writer)}", scopes: [orders:read, orders:write] }
upstreams: [orders-stable]
routes:
  - { name: health, match: { path: /healthz }, anonymous: true }
  - { name: read, match: { path: /v1/orders/**, methods: [GET] }, require: { scopes: [orders:read] }, upstream: { default: orders-stable } }
  - { name: write, match: { path: /v1/orders/**, methods: [POST] }, require: { scopes: [${write}] }, upstream: { default: orders-stable } }
`
const LIVE = policyText()
/** A scope is tightened, and the limit is halved. */
const TIGHTER = policyText('orders:admin', 10)

interface Asked {
  readonly key: string | undefined
  readonly method: 'GET' | 'POST'
  readonly path: string
}

const ROW: readonly Asked[] = [
  { key: reader, method: 'GET', path: '/v1/orders/1' },
  { key: writer, method: 'POST', path: '/v1/orders/1' },
  { key: reader, method: 'POST', path: '/v1/orders/1' },
  { key: writer, method: 'GET', path: '/v1/orders/2' },
  { key: undefined, method: 'GET', path: '/v1/orders/1' },
  { key: undefined, method: 'GET', path: '/healthz' },
]
const TABLE = Array.from({ length: 12 }, () => ROW).flat()

let folder: Folder
let candidateFile: string
const services: Serving[] = []

beforeEach(() => {
  folder = createFolder()
  folder.writePolicy(LIVE)
  candidateFile = join(folder.path, 'candidate.yaml')
  writeFileSync(candidateFile, TIGHTER)
})

afterEach(async () => {
  for (const service of services.splice(0)) {
    service.signal('SIGTERM')
    expect(await service.exit).toBe(0)
  }
  folder.remove()
})

async function start(command: string, args: readonly string[]): Promise<Serving> {
  const admin = ['--admin', '127.0.0.1:0', '--http', '127.0.0.1:0', '--log-level', 'info']
  const service = await startService(command, [...args, ...admin], { TENANTGATE_ADMIN_TOKEN: TOKEN })
  services.push(service)
  return service
}

interface Compared {
  readonly version?: string
  readonly compared: number
  readonly problems: readonly string[]
  readonly skipped: Readonly<Record<string, number>>
  readonly differences: readonly { kind: string; route: string; live: string; candidate: string; count: number }[]
}

async function compared(service: Serving): Promise<Compared> {
  const { admin } = await service.line('listening')
  const answer = await fetch(`http://${admin}/v1/candidate`, { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Compared
}

/** When all of so many decisions are compared: that is a moment after they were answered. */
const comparedAll = (service: Serving, count: number) =>
  until(async () => {
    const found = await compared(service)
    expect(found.skipped).toEqual({ busy: 0, abandoned: 0, fault: 0 })
    return found.compared === count ? found : undefined
  })

/** What becomes of requests, by what a client sees: differences between two runs of them, counted. */
function changedBetween(before: readonly number[], after: readonly number[]): number {
  return before.filter((status, i) => status !== after[i]).length
}

const total = ({ differences }: Compared) => differences.reduce((sum, { count }) => sum + count, 0)

describe('behind the real Envoy', () => {
  let backends: Backends
  let envoy: TestEnvoy | undefined

  beforeAll(async () => {
    backends = await startBackends()
  })

  afterEach(async () => {
    await envoy?.stop()
  })

  afterAll(() => backends.close())

  async function statuses(policy: string, ...args: string[]) {
    const socket = join(folder.path, `${services.length}.sock`)
    const service = await start('serve', ['--policy', policy, '--listen', `unix:${socket}`, ...args])
    envoy = await startEnvoy({ sidecarSocket: socket, backends: backends.ports })
    const seen: number[] = []
    for (const { key, method, path } of TABLE) {
      const ask: Ask = { method, path, headers: key === undefined ? {} : { 'x-api-key': key } }
      seen.push((await exchange(envoy.port, ask)).status)
    }
    await envoy.stop()
    return { service, seen }
  }

  it('the differences that are reported are those that clients see when the candidate is live', async () => {
    const { service, seen: live } = await statuses(folder.policyFile, '--candidate', candidateFile)
    const found = await comparedAll(service, TABLE.length)
    const { seen: alone } = await statuses(folder.policyFile)
    expect(live).toEqual(alone)
    const { seen: then } = await statuses(candidateFile)

    expect(total(found)).toBe(changedBetween(live, then))
    expect(found.differences).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'decision', route: 'write', live: 'allowed', candidate: 'insufficient_scope' }),
        expect.objectContaining({ kind: 'decision', route: 'read', live: 'allowed', candidate: 'quota_exceeded' }),
      ]),
    )
    const told = service.lines.filter(({ msg }) => msg === 'the candidate policy decides otherwise')
    expect(told.length).toBeGreaterThan(0)
    for (const key of [reader, writer]) expect(service.output()).not.toContain(key)
    const metrics = await (await fetch(`${service.http}/metrics`)).text()
    expect(metrics).toContain('tenantgate_candidate_last_reload_successful 1')
    // those of the live policy, as its clients saw them, and none of the candidate's
    const overQuota = live.filter((status) => status === 429).length
    expect(overQuota).toBeGreaterThan(0)
    expect(metrics.split('\n')).toContain(
      `tenantgate_decisions_total{decision="deny",reason="quota_exceeded"} ${overQuota}`,
    )
  }, 60_000)
})

describe("behind Kong's protocol", () => {
  const PLUGINS = ['tenant-auth', 'tenant-quota', 'tenant-flags']

  async function statuses(policy: string, ...args: string[]) {
    const socket = join(folder.path, `${services.length}.sock`)
    const service = await start('kong-plugin-server', ['--socket', socket, '--policy', policy, ...args])
    const kong = createKongRpc({ socket, readTimeoutMs: 5000 })
    const seen: number[] = []
    let events = 0
    for (const [i, { key, method, path }] of TABLE.entries()) {
      const headers = { host: 'gateway.test', ...(key && { 'x-api-key': key }) }
      const request = { method, target: path, host: headers.host, headers, address: '127.0.0.1' }
      // clients may call each of their requests the same
      const handed = JSON.stringify({ id: `${socket} ${i}`, requestId: 'mine', ...request })
      let status = 200
      for (const plugin of PLUGINS) {
        events += 1
        await kong.handleEvent(plugin, `${plugin}-1`, {}, 'access', (name, given) => {
          if (name === 'kong.response.exit') status = Number(given[0])
          return name === 'kong.ctx.shared.get' && given[0] === REQUEST_KEY ? handed : undefined
        })
        if (status !== 200) break
      }
      seen.push(status)
    }
    kong.close()
    return { service, seen, events }
  }

  it('stage by stage, the differences that are reported are those that clients see when the candidate is live', async () => {
    const { service, seen: live } = await statuses(folder.policyFile, '--candidate', candidateFile)
    const { seen: then, events } = await statuses(candidateFile)
    // the candidate is asked as far as it lets a request come
    const found = await comparedAll(service, events)
    expect(changedBetween(live, then)).toBeGreaterThan(10)
    expect(total(found)).toBe(changedBetween(live, then))
  }, 60_000)
})

describe('the file of a candidate', () => {
  const args = () => ['--policy', folder.policyFile, '--candidate', candidateFile, '--listen', '127.0.0.1:0']
  const version = async (service: Serving) => (await compared(service)).version
  const gauge = async (service: Serving) =>
    /^tenantgate_candidate_last_reload_successful (\d)$/m.exec(
      await (await fetch(`${service.http}/metrics`)).text(),
    )?.[1]

  it('is followed: a new one takes over, a bad or a removed one leaves the last good, and is loud', async () => {
    const service = await start('serve', args())
    const first = await version(service)
    expect(first).toMatch(/^[0-9a-f]{12}$/)

    writeFileSync(candidateFile, policyText('orders:admin', 5))
    const second = await until(async () => {
      const now = await version(service)
      return now === first ? undefined : now
    })

    writeFileSync(candidateFile, 'version: 2\n')
    const rejected = await service.line('candidate policy rejected, the last good one stays')
    expect(rejected).toMatchObject({ level: 'error', candidate: second })
    expect(JSON.stringify(rejected.problems)).toContain('candidate.yaml:1')
    expect(await compared(service)).toMatchObject({ version: second, problems: rejected.problems })
    expect(await gauge(service)).toBe('0')

    rmSync(candidateFile)
    await until(async () => {
      const { problems } = await compared(service)
      return JSON.stringify(problems) === JSON.stringify(rejected.problems) ? undefined : problems
    })
    expect(await version(service)).toBe(second)

    writeFileSync(candidateFile, TIGHTER)
    service.signal('SIGHUP')
    await until(async () => ((await version(service)) === first ? true : undefined))
    expect(await compared(service)).toMatchObject({ problems: [] })
    expect(await gauge(service)).toBe('1')
  })

  it.each([
    ['bad', () => writeFileSync(candidateFile, 'routes: 7\n')],
    ['missing', () => rmSync(candidateFile)],
  ])('that is %s at the start keeps nobody from serving, and is taken when it is good', async (_what, spoil) => {
    spoil()
    const service = await start('serve', args())
    await service.line('candidate policy rejected, there is none to compare with')
    expect(await compared(service)).toMatchObject({
      compared: 0,
      problems: expect.arrayContaining([expect.stringContaining('candidate.yaml')]),
    })
    expect((await fetch(`${service.http}/readyz`)).status).toBe(200)
    writeFileSync(candidateFile, TIGHTER)
    await service.line('candidate policy loaded')
    expect(await compared(service)).toMatchObject({ version: expect.any(String), problems: [] })
  })

  it('is named by the environment too; a URL is none', async () => {
    const service = await startService('serve', ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'], {
      TENANTGATE_POLICY: folder.policyFile,
      TENANTGATE_CANDIDATE: candidateFile,
    })
    services.push(service)
    await service.line('candidate policy loaded')
    await expect(
      startService('serve', ['--policy', folder.policyFile, '--candidate', 'redis://127.0.0.1'], {}),
    ).rejects.toThrow('--candidate is a file')
  })

  it('is nothing that administration knows of where there is none', async () => {
    const service = await start('serve', ['--policy', folder.policyFile, '--listen', '127.0.0.1:0'])
    const { admin } = await service.line('listening')
    const headers = { authorization: `Bearer ${TOKEN}` }
    const answer = await fetch(`http://${admin}/v1/candidate`, { headers })
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })])
    expect(await (await fetch(`${service.http}/metrics`)).text()).not.toContain('tenantgate_candidate')
    const withoutToken = await fetch(`http://${admin}/v1/candidate`)
    expect(withoutToken.status).toBe(401)
  })
})
