/** `npm run bench:kong`: a real Kong with tenant-gate, beside the same Kong with its own Lua plugins, in one run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findKong, kongText } from '../demo/find-kong.ts'
import { freePort } from '../demo/free-port.ts'
import { type KongYaml, type RealKong, type Settings, startKong } from '../demo/run-kong.ts'
import { type Figure, figure, noiseText } from './measure.ts'
import { benchPolicy, type Folder, temporaryFolder } from './policies.ts'
import { cpuOfTree } from './processes.ts'
import { machineText, type Table, tableText } from './table.ts'

const ROUNDS = 5
const SECONDS = 3
const CONNECTIONS = 32
const SOCKET = 'plugins.sock'

/** What is measured: a route of the same Kong, and a request for it. */
interface Contender {
  readonly name: string
  readonly path: string
  readonly key: string
  readonly status: '200' | '401'
  readonly cpuMicros: number[]
  readonly perSecond: number[]
}

const contender = (name: string, path: string, key: string, status: Contender['status'] = '200'): Contender => ({
  ...{ name, path, key, status, cpuMicros: [], perSecond: [] },
})

async function benchKong(): Promise<readonly Table[]> {
  const folder = temporaryFolder()
  const { text, files, key } = await benchPolicy()
  for (const [name, content] of Object.entries(files)) folder.write(name, content)
  const policyFile = folder.write('policy.yaml', text)
  const contenders = [
    contender('key-auth + acl + rate-limiting', '/lua', key),
    contender('tenant-gate', '/v1/orders/7', key),
    contender('no plugin', '/none', key),
    contender('key-auth, refused', '/lua', 'no such key', '401'),
    contender('tenant-gate, refused', '/v1/orders/7', 'no such key', '401'),
  ]
  const kong = await startMeasuredKong(folder, policyFile, key)
  try {
    for (const each of contenders) await drive(each, kong, 1)
    for (let round = 0; round < ROUNDS; round++) for (const each of contenders) await measure(each, kong, folder)
  } finally {
    await kong.stop()
    folder.remove()
  }
  return tablesOf(contenders)
}

async function startMeasuredKong(folder: Folder, policyFile: string, key: string): Promise<RealKong> {
  const upstreamPort = await freePort()
  // an answer from memory, inside the same nginx: it costs every contender the same, and little
  const server = `server { listen 127.0.0.1:${upstreamPort}; access_log off; location / { return 200 "ok"; } }\n`
  const settings: Settings = {
    nginx_http_include: folder.write('upstream.conf', server),
    nginx_worker_processes: '1',
    log_level: 'warn',
    ...pluginServer(folder, policyFile),
  }
  const kong = await startKong({ folder: folder.path, yaml: yamlOf(upstreamPort, key), settings })
  // Kong does not wait for the plugin servers that it starts
  while (!existsSync(join(folder.path, SOCKET))) await wait(20)
  return kong
}

/** Why nothing can be measured here; undefined when there is a Kong. */
async function whyNot(): Promise<string | undefined> {
  const folder = temporaryFolder()
  const found = await findKong(folder.path)
  folder.remove()
  if (!found.ok) return found.problem
  await found.kong.close()
  if (!found.kong.isLocal)
    return "processes of this machine are measured, and Docker's are not: set KONG_BIN to the file of a Kong"
  process.stdout.write(`${machineText()}\n${kongText(found.kong)}\n`)
  return undefined
}

/** The four plugins as the reference has them, served by one process of this checkout that Kong itself starts. */
function pluginServer(folder: Folder, policyFile: string): Settings {
  const ownFile = (file: string) => fileURLToPath(new URL(`${file}${extname(import.meta.url)}`, import.meta.url))
  const command = `${process.execPath} ${ownFile('../cli/main')} kong-plugin-server`
  const socket = join(folder.path, SOCKET)
  const names = ['tenant_gate', 'tenant_auth', 'tenant_quota', 'tenant_flags']
  const each = names.flatMap((name) => [
    [`pluginserver_${name}_socket`, socket],
    [`pluginserver_${name}_query_cmd`, `${command} --describe ${name.replace('_', '-')}`],
    [`pluginserver_${name}_start_cmd`, undefined],
  ])
  return {
    pluginserver_names: names.join(','),
    ...Object.fromEntries(each),
    pluginserver_tenant_gate_start_cmd: `${command} --socket ${socket} --policy ${policyFile} --log-level warn`,
  }
}

function yamlOf(upstreamPort: number, key: string): KongYaml {
  const target = `127.0.0.1:${upstreamPort}`
  const gate = ['tenant-gate-before', 'tenant-gate', 'tenant-gate-after'].map((name) => ({ name }))
  const windows = { second: 1_000_000, minute: 60_000_000, day: 1_000_000_000, policy: 'local', limit_by: 'consumer' }
  const lua = [
    { name: 'key-auth', config: { key_names: ['x-api-key'] } },
    { name: 'acl', config: { allow: ['buyers'] } },
    { name: 'rate-limiting', config: windows },
  ]
  return {
    _format_version: '3.0',
    upstreams: ['stable', 'beta'].map((name) => ({ name, targets: [{ target }] })),
    consumers: [{ username: 'acme', keyauth_credentials: [{ key }], acls: [{ group: 'buyers' }] }],
    services: [
      {
        name: 'bench',
        host: 'stable',
        routes: [
          { name: 'none', paths: ['/none'] },
          { name: 'gate', paths: ['/v1'], strip_path: false, plugins: gate },
          { name: 'lua', paths: ['/lua'], plugins: lua },
        ],
      },
    ],
  }
}

/** Sends for some seconds; how many answers came. Rejects when one was not as it should be. */
async function drive({ name, path, key, status }: Contender, kong: RealKong, seconds = SECONDS): Promise<number> {
  const file = fileURLToPath(new URL(`./http-load${extname(import.meta.url)}`, import.meta.url))
  const load = spawn(process.execPath, [file, ...[kong.port, CONNECTIONS, seconds].map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  load.stdout.on('data', (chunk) => {
    output += chunk
  })
  load.stdin.end(`GET ${path} HTTP/1.1\r\nHost: bench.example\r\nX-Api-Key: ${key}\r\nUser-Agent: bench\r\n\r\n`)
  await once(load, 'close')
  const statuses: Record<string, number> = JSON.parse(output)
  const answers = statuses[status] ?? 0
  if (Object.keys(statuses).length > 1 || answers === 0) throw new Error(`${name} was answered ${output}`)
  return answers
}

async function measure(contender: Contender, kong: RealKong, folder: Folder): Promise<void> {
  const master = Number(readFileSync(join(folder.path, 'prefix', 'pids', 'nginx.pid'), 'utf8'))
  const before = cpuOfTree(master)
  const startedAt = performance.now()
  const answers = await drive(contender, kong)
  contender.perSecond.push(answers / ((performance.now() - startedAt) / 1000))
  contender.cpuMicros.push((cpuOfTree(master) - before) / answers)
}

function tablesOf(contenders: readonly Contender[]): readonly Table[] {
  const [first] = contenders
  const lines = (unit: Figure['unit'], of: (contender: Contender) => readonly number[]) =>
    contenders.map((each) => figure({ name: each.name, unit, samples: of(each), reference: first ? of(first) : [] }))
  const cpu = lines('µs', ({ cpuMicros }) => cpuMicros)
  const reference = first?.name ?? ''
  const how = `${CONNECTIONS} connections, one worker, three limits each, ${ROUNDS} rounds of ${SECONDS} s in turns`
  return [
    { title: 'Kong: requests per second', reference, figures: lines('/s', ({ perSecond }) => perSecond), notes: [how] },
    { title: 'Kong: CPU per request, plugin server included', reference, figures: cpu, notes: [noiseText(cpu[0])] },
  ]
}

const problem = await whyNot()
if (problem === undefined) {
  for (const table of await benchKong()) process.stdout.write(`\n${tableText(table)}\n`)
} else {
  process.stderr.write(`bench:kong: ${problem}\n`)
  process.exitCode = 1
}
