/** `kong-plugin-server --candidate` as Kong starts it: flags that differ, a candidate that breaks, and a live policy that changes. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { REQUEST_KEY } from '../../../kong/handover.ts'
import { createKongRpc, type KongRpc } from '../../kong/harness/pb-client.ts'
import { until } from '../../support/until.ts'
import { createFolder, type Folder, policyText, type Serving, startService } from '../serving.ts'

const TOKEN = randomBytes(32).toString('hex')
let folder: Folder
let candidate: string
let serving: Serving
let kong: KongRpc

const write = (name: string, text: string) => {
  const file = join(folder.path, name)
  writeFileSync(file, text)
  return file
}

const flagsTo = (defaultVariant: string) =>
  JSON.stringify({
    flags: {
      'orders-backend': {
        state: 'ENABLED',
        variants: { stable: 'orders-stable', canary: 'orders-canary' },
        defaultVariant,
      },
    },
  })

const policyWith = (file: string, scope = 'orders:read') =>
  policyText(folder.key, `flags: ${file}\n`)
    .replace('{ default: orders-stable }', '{ default: orders-stable, flag: orders-backend }')
    .replace('[orders-stable]', '[orders-stable, orders-canary]')
    .replace('require: { scopes: [orders:read] }', `require: { scopes: [${scope}] }`)

beforeEach(() => {
  folder = createFolder()
  write('flags.json', flagsTo('stable'))
  write('next.json', flagsTo('canary'))
  folder.writePolicy(policyWith('flags.json'))
  candidate = write('next.yaml', policyWith('next.json'))
})
afterEach(async () => {
  kong.close()
  serving.signal('SIGTERM')
  expect(await serving.exit).toBe(0)
  folder.remove()
})

async function start(): Promise<void> {
  const socket = join(folder.path, 'kong.sock')
  const args = ['--socket', socket, '--policy', folder.policyFile, '--candidate', candidate]
  const listeners = ['--http', '127.0.0.1:0', '--admin', '127.0.0.1:0']
  serving = await startService('kong-plugin-server', [...args, ...listeners], { TENANTGATE_ADMIN_TOKEN: TOKEN })
  kong = createKongRpc({ socket, readTimeoutMs: 5000 })
}

let requests = 0

/** One request of acme: the status that it gets of the gate, 200 where it is let in, and where it is sent. */
async function ask(): Promise<readonly [number, string | undefined]> {
  requests += 1
  const headers = { host: 'acme.api.localhost', 'x-api-key': folder.key }
  const request = { method: 'GET', target: '/v1/orders/7', host: headers.host, headers, address: '127.0.0.1' }
  const handed = JSON.stringify({ id: `r${requests}`, requestId: `r${requests}`, ...request })
  let [status, upstream]: [number, string | undefined] = [200, undefined]
  await kong.handleEvent('tenant-gate', 'tenant-gate-1', {}, 'access', (method, given) => {
    if (method === 'kong.response.exit') status = Number(given[0])
    if (method === 'kong.ctx.shared.set') upstream = JSON.parse(String(given[1])).set['x-tenantgate-upstream']
    return method === 'kong.ctx.shared.get' && given[0] === REQUEST_KEY ? handed : undefined
  })
  return [status, upstream]
}

interface Report {
  readonly version: string
  readonly liveVersion: string
  readonly problems: readonly string[]
  readonly compared: number
  readonly differences: readonly { readonly kind: string; readonly count: number }[]
}

async function report(): Promise<Report> {
  const { admin } = await serving.line('listening')
  const headers = { authorization: `Bearer ${TOKEN}` }
  return (await fetch(`http://${admin}/v1/candidate`, { headers })).json() as Promise<Report>
}

const comparedAll = (count: number) =>
  until(async () => {
    const now = await report()
    return now.compared === count ? now : undefined
  })
const kindsOf = ({ differences }: Report) => differences.map(({ kind, count }) => `${kind} ${count}`)

it('compares flags, counts every difference and tells of them without secrets, and Kong acts on the live one alone', async () => {
  await start()
  for (let request = 0; request < 30; request++) expect(await ask()).toEqual([200, 'orders-stable'])
  expect(kindsOf(await comparedAll(30))).toEqual(['upstream 30', 'variant 30'])
  const metrics = await (await fetch(`${serving.http}/metrics`)).text()
  expect(metrics).toContain(
    'tenantgate_candidate_differences_total{kind="variant",live="allowed",candidate="allowed"} 30',
  )
  await serving.line('the candidate policy decides otherwise')
  expect(serving.output().includes(folder.key)).toBe(false)
})

it('goes on with the last good candidate while its file is bad, and begins anew with each other version of either', async () => {
  await start()
  await ask()
  const first = await comparedAll(1)
  writeFileSync(candidate, 'version: 1\nroutes: none\n')
  await serving.line('candidate policy rejected, the last good one stays')
  await ask()
  const meanwhile = await comparedAll(2)
  expect([meanwhile.version, kindsOf(meanwhile)]).toEqual([first.version, ['upstream 2', 'variant 2']])
  expect(meanwhile.problems.join()).toContain('next.yaml:1')

  folder.writePolicy(policyWith('flags.json', 'orders:write'))
  await serving.line('policy reloaded')
  expect(await ask()).toEqual([403, undefined])
  const after = await comparedAll(1)
  expect([after.version, kindsOf(after)]).toEqual([first.version, ['decision 1']])
  expect(after.liveVersion).not.toBe(first.liveVersion)

  writeFileSync(candidate, policyWith('flags.json', 'orders:write'))
  await until(async () => (await report()).version === after.liveVersion || undefined)
  await ask()
  expect(await comparedAll(1)).toMatchObject({ problems: [], differences: [] })
})

it('serves without a candidate that is bad from the start', async () => {
  writeFileSync(candidate, 'routes: [')
  await start()
  expect(await serving.line('candidate policy rejected, there is none to compare with')).toMatchObject({
    level: 'error',
  })
  expect(await ask()).toEqual([200, 'orders-stable'])
})
