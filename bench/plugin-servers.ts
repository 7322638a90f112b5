/**
 * `npm run bench:plugins`: our plugin server beside the stock one, with the same plugin, policy and requests, driven by the
 * harness that plays Kong's side in the tests. It runs from the sources, since the harness is not part of the build.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { REQUEST_KEY } from '../kong/handover.ts'
import { packageRoot } from '../package-root.ts'
import { createKongMsgpack } from '../test/kong/harness/msgpack-client.ts'
import { buildPlugins } from '../test/kong/harness/msgpack-server.ts'
import { createKongRpc } from '../test/kong/harness/pb-client.ts'
import { figure, noiseText } from './measure.ts'
import { benchPolicy, temporaryFolder } from './policies.ts'
import { cpuOfTree } from './processes.ts'
import { machineText, type Table, tableText } from './table.ts'

const ROUNDS = 7
const EVENTS = 6_000
const LANES = 32

type CallPdk = (method: string, args: unknown[]) => unknown

/** One server, and how Kong asks it about one request. */
interface Contender {
  readonly name: string
  readonly pid: number
  readonly ask: (lane: number, callPdk: CallPdk) => Promise<unknown>
  readonly callPdk: CallPdk
  readonly cpuMicros: number[]
  /** Round trips of one request: the event, each call of the PDK, and the end. */
  readonly trips: number
}

const CONF = { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true }

/** What the guard hands over, or what the PDK tells where there is none. */
function kongWith(key: string, isGuarded: boolean): CallPdk {
  const headers = { host: 'bench.example', 'user-agent': 'bench', accept: '*/*', 'x-api-key': key }
  const id = '7f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c'
  const handed = (n: number) => {
    const unique = `${id}${n}`
    const request = { id: unique, requestId: unique, method: 'GET', target: '/v1/orders/7', host: 'bench.example' }
    return JSON.stringify({ ...request, headers, address: '127.0.0.1' })
  }
  const variables: Readonly<Record<string, string>> = {
    request: 'GET /v1/orders/7 HTTP/1.1',
    remote_addr: '127.0.0.1',
    kong_request_id: id,
  }
  let requests = 0
  return (method, [name]) => {
    if (method === 'kong.ctx.shared.get') return isGuarded && name === REQUEST_KEY ? handed(requests++) : undefined
    if (method === 'kong.nginx.get_var') return variables[String(name)]
    if (method === 'kong.request.get_headers') return lists(headers)
    return method === 'kong.service.set_upstream' ? true : undefined
  }
}

const lists = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))

async function startServers(folder: string, policyFile: string) {
  const build = await buildPlugins()
  const main = join(build.plugins, '..', 'cli', 'main.js')
  const stock = join(packageRoot, 'node_modules', 'kong-pdk', 'bin', 'kong-js-pluginserver')
  const [oursAt, stockAt] = [join(folder, 'ours.sock'), join(folder, 'stock.sock')]
  const env = { ...process.env, TENANTGATE_POLICY: policyFile, TENANTGATE_LOG_LEVEL: 'error' }
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ours = start([main, 'kong-plugin-server', '--socket', oursAt])
  await once(ours.stdout, 'data')
  const stockArgs = ['--plugins-directory', build.plugins, '--kong-prefix', folder, '--sock-name', 'stock.sock']
  const theirs = start([stock, ...stockArgs])
  theirs.stdout.resume()
  return {
    ours: { pid: ours.pid ?? 0, socket: oursAt },
    stock: { pid: theirs.pid ?? 0, socket: stockAt },
    stop: () => {
      ours.kill('SIGKILL')
      theirs.kill('SIGKILL')
      build.remove()
    },
  }
}

/** The stock server binds some time after it was started, and says nothing of it. */
async function connected(socket: string) {
  for (;;) {
    try {
      return await createKongMsgpack(socket)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function benchPluginServers(): Promise<Table> {
  const folder = temporaryFolder()
  const { text, files, key } = await benchPolicy()
  for (const [name, content] of Object.entries(files)) folder.write(name, content)
  const servers = await startServers(folder.path, folder.write('policy.yaml', text))
  const rpc = createKongRpc({ socket: servers.ours.socket, readTimeoutMs: 5000 })
  const msgpack = [await connected(servers.stock.socket)]
  while (msgpack.length < LANES) msgpack.push(await createKongMsgpack(servers.stock.socket))
  const ask = {
    ours: (_: number, callPdk: CallPdk) => rpc.handleEvent('tenant-gate', 'bench', CONF, 'access', callPdk),
    stock: (lane: number, callPdk: CallPdk) => msgpack[lane]?.handleEvent('tenant-gate', CONF, 'access', callPdk),
  } as const
  const contender = async (name: string, server: 'ours' | 'stock', shown: string, isGuarded: boolean) => {
    const callPdk = kongWith(shown, isGuarded)
    let trips = 1
    await ask[server](0, (method, args) => {
      trips += 1
      return callPdk(method, args)
    })
    return { name, pid: servers[server].pid, ask: ask[server], callPdk, cpuMicros: [], trips } as unknown as Contender
  }
  const contenders = [
    await contender('stock server, with the guard', 'stock', key, true),
    await contender('our server, with the guard', 'ours', key, true),
    await contender('stock server, without the guard', 'stock', key, false),
    await contender('our server, without the guard', 'ours', key, false),
    await contender('our server, refused', 'ours', 'no such key', true),
  ]
  try {
    for (const each of contenders) await drive(each, EVENTS)
    for (let round = 0; round < ROUNDS; round++) for (const each of contenders) await measure(each)
  } finally {
    rpc.close()
    for (const connection of msgpack) connection.close()
    servers.stop()
    folder.remove()
  }
  return tableOf(contenders)
}

async function drive({ ask, callPdk }: Contender, events: number): Promise<void> {
  let left = events
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      while (left-- > 0) await ask(lane, callPdk)
    }),
  )
}

async function measure(contender: Contender): Promise<void> {
  const before = cpuOfTree(contender.pid)
  await drive(contender, EVENTS)
  contender.cpuMicros.push((cpuOfTree(contender.pid) - before) / EVENTS)
}

function tableOf(contenders: readonly Contender[]): Table {
  const reference = contenders[0]?.cpuMicros ?? []
  const figures = contenders.map(({ name, trips, cpuMicros }) =>
    figure({ name: `${name} (${trips} messages to Kong)`, unit: 'µs', samples: cpuMicros, reference }),
  )
  return {
    title: 'tenant-gate: CPU of the plugin server per request',
    reference: contenders[0]?.name ?? '',
    figures,
    notes: [`${LANES} requests at a time, three limits, a flag, ${ROUNDS} rounds in turns`, noiseText(figures[0])],
  }
}

process.stdout.write(`${machineText()}\n\n${tableText(await benchPluginServers())}\n`)
