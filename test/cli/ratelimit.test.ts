/** `serve` and `validate` with a folder of ratelimit configuration, as processes: what is served, followed, told and refused. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { validate } from '../../cli/validate.ts'
import { packageRoot } from '../../package-root.ts'
import { type CheckClient, checkOf, createClient, hitsOf } from '../ext-authz/client.ts'
import { said } from '../support/command.ts'
import { createFolder, type Folder, policyText, run, type Serving, serve } from './serving.ts'

/** A year: only a test over New Year's midnight, in UTC, sees two windows. */
const limitOf = (requests: number) => `domain: edge
descriptors:
  - key: tenant
    rate_limit: { name: yearly, unit: year, requests_per_unit: ${requests} }
`

let folder: Folder
let limits: string
let serving: Serving | undefined
let client: CheckClient | undefined

beforeEach(() => {
  folder = createFolder()
  limits = join(folder.path, 'limits')
  mkdirSync(limits)
  write(limitOf(5))
})
afterEach(async () => {
  client?.close()
  serving?.signal('SIGKILL')
  await serving?.exit
  serving = undefined
  folder.remove()
})

function write(text: string): void {
  writeFileSync(join(folder.path, 'next.yaml'), text)
  renameSync(join(folder.path, 'next.yaml'), join(limits, 'edge.yaml'))
}

const ARGS = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0']

async function start(env: Record<string, string> = {}, more = ['--ratelimit-config', limits]): Promise<CheckClient> {
  serving = await serve(['--policy', folder.policyFile, ...ARGS, ...more], env)
  client = createClient(serving.grpc[0] ?? '')
  return client
}

const code = async (message: object) => (await client?.shouldRateLimit(message))?.overallCode
const metric = async (name: string) => {
  const text = await (await fetch(`${serving?.http}/metrics`)).text()
  return text.split('\n').find((line) => line.startsWith(`${name} `))
}

describe('serve', () => {
  it('admits exactly five of 400 concurrent calls against a limit of five, in both kinds of domain', async () => {
    folder.writePolicy(policyText(folder.key).replace('1000000/day', '5/year'))
    await start()
    const both = ['edge', 'tenantgate'].flatMap((domain) =>
      Array.from({ length: 400 }, () => ({ domain, answer: code(hitsOf(domain, { tenant: 'acme' })) })),
    )
    const answers = await Promise.all(both.map(async ({ domain, answer }) => `${domain} ${await answer}`))
    const admitted = answers.filter((answer) => answer.endsWith(' 1'))
    expect(admitted.sort()).toEqual([...Array(5).fill('edge 1'), ...Array(5).fill('tenantgate 1')])
    expect(await metric('tenantgate_ratelimit_requests_total{domain="edge",code="over_limit"}')).toMatch(/ 395$/)
    expect(await metric('tenantgate_ratelimit_requests_total{domain="tenantgate",code="ok"}')).toMatch(/ 5$/)
    expect(await metric('tenantgate_ratelimit_hits_total{limit="edge.tenant"}')).toMatch(/ 400$/)
  })

  it('charges a Check and a filter of the domain tenantgate to the same quota', async () => {
    folder.writePolicy(policyText(folder.key).replace('1000000/day', '2/year'))
    const { check } = await start()
    const asked = () => check(checkOf({ headers: { 'x-api-key': folder.key } }))
    expect((await asked()).deniedResponse).toBeUndefined()
    expect(await code(hitsOf('tenantgate', { tenant: 'acme' }))).toBe(1)
    expect((await asked()).deniedResponse?.status.code).toBe(429)
    expect(await code(hitsOf('tenantgate', { tenant: 'acme' }))).toBe(2)
  })

  it('without a folder serves the domain tenantgate alone, and says so', async () => {
    await start({}, [])
    expect(await code(hitsOf('tenantgate', { tenant: 'acme' }))).toBe(1)
    expect(await code(hitsOf('edge', { tenant: 'acme' })).catch((reason) => reason)).toMatchObject({
      code: status.UNKNOWN,
      details: expect.stringContaining("only the domain 'tenantgate' is served"),
    })
    expect(await metric('tenantgate_ratelimit_requests_total{domain="other",code="invalid"}')).toMatch(/ 1$/)
  })

  it('honours the settings of envoyproxy/ratelimit in the environment, and its own twin', async () => {
    const env = { TENANTGATE_RATELIMIT_CONFIG: limits, SHADOW_MODE: 'true', LIMIT_RESPONSE_HEADERS_ENABLED: '1' }
    const { shouldRateLimit } = await start(env, [])
    for (let i = 0; i < 5; i += 1) await shouldRateLimit(hitsOf('edge', { tenant: 'acme' }))
    const answer = await shouldRateLimit(hitsOf('edge', { tenant: 'acme' }))
    expect(answer).toMatchObject({ overallCode: 1, statuses: [{ code: 2 }] })
    expect(answer.responseHeadersToAdd?.slice(0, 2)).toEqual([
      { key: 'RateLimit-Limit', value: '5' },
      { key: 'RateLimit-Remaining', value: '0' },
    ])
  })

  it('follows the folder under load without a lost call; a bad one leaves the last good, and is told', async () => {
    await start()
    let isOver = false
    const refused: unknown[] = []
    let answered = 0
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        await code(hitsOf('edge', { tenant: 'load' })).catch((reason) => refused.push(reason))
        answered += 1
      }
    })
    const limit = async () => {
      const answer = await client?.shouldRateLimit({ ...hitsOf('edge', { tenant: 'acme' }) })
      return answer?.statuses[0]?.currentLimit?.requestsPerUnit
    }
    write(limitOf(7))
    await expect.poll(limit, { timeout: 10_000 }).toBe(7)
    write('domain: edge\ndescriptors: [{ value: a }]\n')
    const rejected = await serving?.line('ratelimit configuration rejected, the last good one stays')
    expect(rejected?.problems).toEqual([expect.stringContaining(`${join(limits, 'edge.yaml')}:2:`)])
    expect(await limit()).toBe(7)
    expect(await metric('tenantgate_ratelimit_config_last_reload_successful')).toMatch(/ 0$/)
    write(limitOf(9))
    await expect.poll(limit, { timeout: 10_000 }).toBe(9)
    expect(await metric('tenantgate_ratelimit_config_last_reload_successful')).toMatch(/ 1$/)
    isOver = true
    await Promise.all(load)
    expect(refused).toEqual([])
    expect(answered).toBeGreaterThan(8)
  })

  it('reads the folder again on SIGHUP, and says that it is what is served', async () => {
    await start()
    serving?.signal('SIGHUP')
    await serving?.line('ratelimit configuration unchanged')
  })

  it('drains, and ends with 0', async () => {
    await start()
    await code(hitsOf('edge', { tenant: 'acme' }))
    serving?.signal('SIGTERM')
    expect(await serving?.exit).toBe(0)
  })

  it.each([
    ['a bad folder', () => write('domain: edge\ndescriptors: [{ value: a }]\n'), /edge\.yaml:2:\d+: descriptors\[0\]/],
    ['the domain of the policy', () => write('domain: tenantgate\n'), /edge\.yaml:1:9: domain/],
    ['a missing folder', () => renameSync(limits, `${limits}-away`), /limits:1:1: does not exist/],
  ])('does not start on %s, and tells what is wrong', async (_, spoil, words) => {
    spoil()
    const ended = await run(['serve', '--policy', folder.policyFile, ...ARGS, '--ratelimit-config', limits])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(words)
    expect(ended.stdout).not.toContain('listening')
  })

  it('does not start on a setting that means nothing', async () => {
    const args = ['serve', '--policy', folder.policyFile, ...ARGS, '--ratelimit-config', limits]
    const ended = await run(args, { QUOTA_MODE: 'perhaps' })
    expect([ended.code, ended.stderr]).toEqual([2, "tenantgate: serve: QUOTA_MODE is true or false, not 'perhaps'\n"])
  })
})

describe('validate', () => {
  it('says of a good folder what it holds, alone or beside a policy', async () => {
    const ok = `${limits}: ok (1 domain)\n`
    expect(await said(validate, ['--ratelimit-config', limits])).toEqual({ code: 0, stdout: ok, stderr: '' })
    const both = await said(validate, [folder.policyFile, '--ratelimit-config', limits])
    expect(both).toMatchObject({ code: 0, stdout: expect.stringContaining(ok) })
    expect(both.stdout).toContain('tenantgate.yaml: ok')
  })

  it('takes the example that the README starts with', async () => {
    const [, argument = ''] =
      /--ratelimit-config (\S+)/.exec(readFileSync(join(packageRoot, 'README.md'), 'utf8')) ?? []
    expect((await said(validate, ['--ratelimit-config', join(packageRoot, argument)])).code).toBe(0)
  })

  it('tells of settings without effect, which are no error', async () => {
    write(`${limitOf(5)}    detailed_metric: true\n`)
    const { code: exitCode, stderr } = await said(validate, [], { TENANTGATE_RATELIMIT_CONFIG: limits })
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/edge\.yaml:5:\d+: note: descriptors\[0\]\.detailed_metric: .*\n$/)
  })

  it('exits 1 with every problem of a bad folder, also when the policy is good', async () => {
    write('domain: edge\ndescriptors: [{ value: a }, { key: b, rate_limit: { unit: dag } }]\n')
    const told = await said(validate, [folder.policyFile, '--ratelimit-config', limits])
    expect(told.code).toBe(1)
    expect(told.stderr.split('\n').length).toBeGreaterThan(2)
    expect(told.stdout).toContain('tenantgate.yaml: ok')
  })
})
