/** A real Kong whose plugin server dies, freezes, is restarted and is reloaded under load: nobody passes undecided. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KongYaml, type RealKong, startKong } from '../../../demo/run-kong.ts'
import { packageRoot } from '../../../package-root.ts'
import { createFolder, type Folder } from '../../cli/serving.ts'
import { startWitnessedBackends, type WitnessedBackends } from '../../conformance/backends.ts'
import { PLUGINS } from '../../conformance/kong-plugins.ts'
import { CONFIGURATIONS, startLoad, type Tally, tallyText } from '../load.ts'
import { servedElsewhere } from './plugins.ts'

const MAIN = join(packageRoot, 'cli', 'main.ts')

let folder: Folder
let backends: WitnessedBackends
let socket: string
beforeAll(async () => {
  folder = createFolder()
  socket = join(folder.path, 'plugins.sock')
  backends = await startWitnessedBackends()
})
afterAll(() => {
  backends.close()
  folder.remove()
})

/** Three routes, three configurations of one plugin. */
function yaml(): KongYaml {
  const routes = Object.entries(CONFIGURATIONS).map(([path, { stages }], index) => ({
    name: `route-${index}`,
    paths: [path],
    strip_path: false,
    plugins: [
      { name: 'tenant-gate-before' },
      { name: 'tenant-gate', config: { stages } },
      { name: 'tenant-gate-after' },
    ],
  }))
  const target = `127.0.0.1:${backends.ports['orders-stable']}`
  return {
    _format_version: '3.0',
    upstreams: [{ name: 'orders-stable', targets: [{ target }] }],
    // an address, so that only who is sent to the upstream comes by its name
    services: [{ name: 'orders', url: `http://${target}`, retries: 0, routes }],
  }
}

function startPluginServer(): Promise<ChildProcess> {
  const args = [MAIN, 'kong-plugin-server', '--socket', socket, '--policy', folder.policyFile, '--log-level', 'error']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return once(child.stdout, 'data').then(() => child)
}

/** What holds whatever happens. `reached` are the requests at the backends. */
function expectNobodyPassed(name: string, tally: Tally): void {
  process.stdout.write(`${tallyText(name, tally)}\n`)
  expect(tally.wrong).toEqual([])
  expect(tally.wrongConfiguration).toBe(0)
  const reached = backends.take()
  const told = reached.map(({ headers }) => headers.find(([own]) => own.toLowerCase() === 'x-tenant-id')?.[1])
  expect(told.filter((tenant) => tenant !== 'acme')).toEqual([])
  expect(tally.decided).toBeGreaterThan(100)
}

describe('a plugin server that somebody else manages', () => {
  let kong: RealKong
  let server: ChildProcess
  beforeAll(async () => {
    server = await startPluginServer()
    kong = await startKong({ folder: folder.path, yaml: yaml(), settings: servedElsewhere(folder.path, socket) })
  })
  afterAll(async () => {
    await kong?.stop()
    server.kill('SIGKILL')
    rmSync(join(folder.path, 'prefix'), { recursive: true, force: true })
  })

  it('killed, away for a second, and started again, five times', async () => {
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 5; round++) {
      await wait(700)
      server.kill('SIGKILL')
      await wait(1000)
      server = await startPluginServer()
    }
    await wait(700)
    const tally = await load.stop()
    expectNobodyPassed('kill -9', tally)
    expect(tally.refused).toBeGreaterThan(0)
  })

  it('replaced by a new one, ten times, while the old one drains', async () => {
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 10; round++) {
      await wait(300)
      const old = server
      server = await startPluginServer()
      old.kill('SIGTERM')
    }
    await wait(300)
    expectNobodyPassed('restart', await load.stop())
  })

  it('frozen for three seconds: 503 after the read time-out of kong.conf', async () => {
    const load = startLoad(kong.port, folder.key)
    await wait(500)
    server.kill('SIGSTOP')
    await wait(3000)
    server.kill('SIGCONT')
    await wait(1000)
    const tally = await load.stop()
    expectNobodyPassed('SIGSTOP', tally)
    expect(tally.refused).toBeGreaterThan(0)
  })

  it('garbage on the socket harms nobody else', async () => {
    const load = startLoad(kong.port, folder.key)
    const { connect } = await import('node:net')
    for (let round = 0; round < 50; round++) {
      const stranger = connect(socket)
      stranger.on('error', () => {})
      stranger.write(Buffer.from([255, 255, 255, round, 1, 2, 3, 193, 193]))
      await wait(10)
      stranger.destroy()
    }
    const tally = await load.stop()
    expectNobodyPassed('garbage', tally)
    expect(tally.refused).toBe(0)
  })
})

/** What kong.conf puts behind the command that starts the plugin server. */
const [, UNTIL_SUCCEEDED = ''] =
  / 2>&1( & trap .*)/.exec(readFileSync(join(packageRoot, 'kong', 'kong.conf'), 'utf8')) ?? []

// a Kong in a container starts no process of this machine
describe.skipIf(process.env.KONG_BIN === undefined)('a plugin server that Kong manages', () => {
  let kong: RealKong
  let secondsToStart: string
  beforeAll(async () => {
    rmSync(socket, { force: true })
    const settings = servedElsewhere(folder.path, socket)
    const [first] = PLUGINS.keys()
    const command = `${process.execPath} ${MAIN} kong-plugin-server --socket ${socket} --policy ${folder.policyFile}`
    secondsToStart = join(folder.path, 'seconds')
    writeFileSync(secondsToStart, '0')
    const script = join(folder.path, 'start.sh')
    writeFileSync(script, `sleep "$(cat ${secondsToStart})"\nexec ${command}\n`)
    const start = `sh ${script}${UNTIL_SUCCEEDED}`
    const key = `pluginserver_${first?.replaceAll('-', '_')}_start_cmd`
    kong = await startKong({ folder: folder.path, yaml: yaml(), settings: { ...settings, [key]: start } })
    while (!existsSync(socket)) await wait(50)
  })
  afterAll(() => kong?.stop())

  it('Kong reloaded four times under load, with plugin servers that take their time to start: nobody is refused', async () => {
    writeFileSync(secondsToStart, '2')
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 4; round++) {
      await wait(1000)
      await kong.reload()
      await wait(4500)
    }
    const tally = await load.stop()
    writeFileSync(secondsToStart, '0')
    expectNobodyPassed('kong reload', tally)
    expect(tally.refused).toBe(0)
    // one is left: those before it have ended by themselves
    await expect.poll(() => processesWith(socket).length, { timeout: 10_000 }).toBe(1)
  })

  it('a plugin server whose watching worker crashes ends when Kong has started another', async () => {
    const [before = 0] = processesWith(socket)
    const watcher = parentOf(parentOf(before))
    process.kill(watcher, 'SIGKILL')
    await expect.poll(() => processesWith(socket).filter((pid) => pid !== before).length, { timeout: 10_000 }).toBe(1)
    await expect.poll(() => processesWith(socket).includes(before), { timeout: 10_000 }).toBe(false)
  })

  it('killed three times; Kong starts it again', async () => {
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 3; round++) {
      await wait(1500)
      for (const pid of processesWith(socket)) process.kill(pid, 'SIGKILL')
    }
    await wait(3000)
    const tally = await load.stop()
    expectNobodyPassed('kill -9, respawned', tally)
    expect(tally.refused).toBeGreaterThan(0)
  })
})

/** Processes that have this text in their command line (Linux). */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && commandLine(pid).includes(`--socket\0${text}`))
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
