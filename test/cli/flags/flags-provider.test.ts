/** Flags of an OpenFeature provider, asked for by their names: of the service that runs it, by the commands and by OFREP. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flags } from '../../../cli/flags/flags.ts'
import { freePort } from '../../../demo/free-port.ts'
import { said } from '../../support/command.ts'
import { type Serving, serve } from '../serving.ts'
import { type FlaggedFolder, flaggedFolder } from './flagged.ts'

const IN_MEMORY = fileURLToPath(new URL('../../fixtures/flag-providers/in-memory.mjs', import.meta.url))
const env = { TENANTGATE_ADMIN_TOKEN: randomBytes(32).toString('hex') }

const POLICY = `version: 1
plans: { pro: {} }
tenants: { acme: { plan: pro, aliases: [org_7f3a] }, globex: { plan: pro } }
identity: { headers: { x-tenantgate-most: flag:most, x-tenantgate-gone: flag:gone } }
upstreams: [orders-stable, orders-canary]
routes:
  - { name: one, match: { path: /one }, upstream: { default: orders-stable, flag: orders-backend } }
  - { name: two, match: { path: /two }, upstream: { default: orders-stable, flag: orders-backend } }
  - { name: three, match: { path: /three }, upstream: { default: orders-stable, flag: absent } }
flags: { provider: true }
`
const NAMED = ['orders-backend', 'absent', 'most', 'gone']

let folder: FlaggedFolder
let policy: string
beforeAll(() => {
  folder = flaggedFolder()
  policy = folder.write('provided.yaml', POLICY)
})
afterAll(() => folder.remove())

describe('a service that runs the provider', () => {
  let serving: Serving
  let admin: string
  beforeAll(async () => {
    admin = `http://127.0.0.1:${await freePort(0)}`
    const where = ['--listen', `unix:${folder.path}/s`, '--http', 'off', '--admin', admin.slice('http://'.length)]
    serving = await serve(['--policy', policy, '--flag-provider', IN_MEMORY, ...where], env)
  })
  afterAll(async () => {
    serving?.signal('SIGTERM')
    await serving?.exit
  })

  const evaluated = async (...argv: string[]) => {
    const { stdout } = await said(flags, ['evaluate', '--server', admin, '--json', ...argv], env)
    return JSON.parse(stdout).flags
  }
  const ofrep = async (path: string, context: object) => {
    const headers = { authorization: `Bearer ${env.TENANTGATE_ADMIN_TOKEN}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ context })
    const answer = await fetch(`${admin}/ofrep/v1/evaluate/flags${path}`, { method: 'POST', headers, body })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }

  it('tells by `flags evaluate` what a tenant gets of each flag that the policy names', async () => {
    const told = await evaluated('--tenant', 'acme')
    expect(told).toMatchObject([
      { flag: 'orders-backend', variant: 'canary', value: 'orders-canary', reason: 'TARGETING_MATCH' },
      { flag: 'absent', reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' },
      { flag: 'most', variant: 'few', value: 3 },
      { flag: 'gone', reason: 'DISABLED' },
    ])
    expect(await evaluated('--tenant', 'org_7f3a')).toEqual(told)
    expect((await evaluated('--tenant', 'globex'))[0]).toMatchObject({ variant: 'stable' })
  })

  it('tells of any other flag that is asked for by its name', async () => {
    expect(await evaluated('--flag', 'open')).toMatchObject([{ flag: 'open', value: true, variant: 'yes' }])
  })

  it('lists those that the policy names', async () => {
    const { stdout } = await said(flags, ['list', '--server', admin, '--json'], env)
    expect(JSON.parse(stdout).flags.map(({ name }: { name: string }) => name)).toEqual(NAMED)
  })

  it('answers by OFREP for one flag, named by the policy or not, and says which there is none of', async () => {
    expect(await ofrep('/orders-backend', { tenant: 'org_7f3a' })).toEqual({
      status: 200,
      body: { key: 'orders-backend', value: 'orders-canary', variant: 'canary', reason: 'TARGETING_MATCH' },
    })
    expect(await ofrep('/open', { tenant: 'acme' })).toMatchObject({ status: 200, body: { value: true } })
    for (const key of ['absent', 'none']) {
      const body = { key, errorCode: 'FLAG_NOT_FOUND' }
      expect(await ofrep(`/${key}`, { tenant: 'acme' })).toMatchObject({ status: 404, body })
    }
  })

  it('answers by OFREP for all that the policy names', async () => {
    const { status, body } = await ofrep('', { tenant: 'acme' })
    expect([status, body]).toMatchObject([
      200,
      { flags: [{ value: 'orders-canary' }, { errorCode: 'FLAG_NOT_FOUND' }, { value: 3 }, { reason: 'DISABLED' }] },
    ])
    expect((body.flags as { key: string }[]).map(({ key }) => key)).toEqual(NAMED)
  })

  it('tells of a flag that is switched off without asking the provider', async () => {
    await said(flags, ['off', 'most', '--server', admin], env)
    expect(await evaluated('--flag', 'most')).toMatchObject([{ reason: 'DISABLED', off: 'switch' }])
    expect((await ofrep('/most', { tenant: 'acme' })).body).toEqual({ key: 'most', reason: 'DISABLED' })
    await said(flags, ['on', 'most', '--server', admin], env)
  })
})

describe('a policy file alone', () => {
  it('says of each flag that it names, and of each that is asked for, that the provider is not there', async () => {
    const evaluated = async (...argv: string[]) =>
      JSON.parse((await said(flags, ['evaluate', '--policy', policy, '--json', ...argv])).stdout).flags
    const notReady = (flag: string) => expect.objectContaining({ flag, errorCode: 'PROVIDER_NOT_READY' })
    expect(await evaluated('--tenant', 'acme')).toEqual(NAMED.map(notReady))
    expect(await evaluated('--flag', 'open')).toEqual([notReady('open')])
  })
})
