/**
 * The plugin server dies, freezes, is replaced and is restarted under load, behind the shipped guard: nobody passes undecided, and
 * nobody is decided about by another route's configuration. The figures are printed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../../package-root.ts'
import { createFolder, type Folder } from '../../cli/serving.ts'
import { startWitnessedBackends, type WitnessedBackends } from '../../conformance/backends.ts'
import { type KongHarness, startKongHarness } from '../harness/gateway.ts'
import type { Trio } from '../harness/trios.ts'
import { CONFIGURATIONS, createClient, PATHS, type Path, startLoad, type Tally, tallyText } from '../load.ts'

const MAIN = join(packageRoot, 'cli', 'main.ts')
/** So short that a frozen server is met often. */
const READ_TIMEOUT_MS = 700

let folder: Folder
let backends: WitnessedBackends
let socket: string
let kong: KongHarness
const workers: KongHarness[] = []
let server: ChildProcess
const started: ChildProcess[] = []

beforeAll(async () => {
  folder = createFolder()
  socket = join(folder.path, 'plugins.sock')
  backends = await startWitnessedBackends()
  server = await startPluginServer()
  kong = await startWorker()
})

afterAll(async () => {
  for (const worker of workers) await worker.stop()
  for (const child of started) child.kill('SIGKILL')
  backends.close()
  folder.remove()
})

const isPath = (target: string): target is Path => Object.hasOwn(CONFIGURATIONS, target)

/** Three routes, three configurations of one plugin. */
function trioOf(path: Path): Trio {
  const { stages } = CONFIGURATIONS[path]
  return { stage: 'gate', id: path, config: { stages, set_consumer: true, set_upstream: true } }
}

/** A worker of Kong: each has instances of its own. */
async function startWorker(): Promise<KongHarness> {
  const worker = await startKongHarness({
    socket,
    upstreams: backends.ports,
    service: 'orders-stable',
    plugins: (target) => (isPath(target) ? [trioOf(target)] : []),
    readTimeoutMs: READ_TIMEOUT_MS,
  })
  workers.push(worker)
  return worker
}

async function startPluginServer(): Promise<ChildProcess> {
  const args = [MAIN, 'kong-plugin-server', '--socket', socket, '--policy', folder.policyFile, '--log-level', 'error']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  started.push(child)
  await once(child.stdout, 'data')
  return child
}

/** What holds whatever happens. */
function expectNobodyPassed(name: string, tally: Tally): void {
  process.stdout.write(`${tallyText(name, tally)}\n`)
  expect(tally.wrong).toEqual([])
  expect(tally.wrongConfiguration).toBe(0)
  expect(tally.closed).toBe(0)
  // a request that reached a backend was decided about: it tells of the tenant
  const told = backends.take().map(({ headers }) => headers.find(([own]) => own.toLowerCase() === 'x-tenant-id')?.[1])
  expect(told.filter((tenant) => tenant !== 'acme')).toEqual([])
  expect(told.length).toBeGreaterThan(0)
  expect(tally.decided).toBeGreaterThan(told.length)
}

describe('under load, with and without credentials', { timeout: 60_000 }, () => {
  it('killed and started again, three times: what fails is 503', async () => {
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 3; round++) {
      await wait(400)
      server.kill('SIGKILL')
      await wait(200)
      server = await startPluginServer()
    }
    await wait(400)
    const tally = await load.stop()
    expectNobodyPassed('kill -9', tally)
    expect(tally.refused).toBeGreaterThan(0)
  })

  it('frozen for a while: 503 after the read time-out of Kong’s sockets', async () => {
    const load = startLoad(kong.port, folder.key)
    await wait(400)
    server.kill('SIGSTOP')
    await wait(3 * READ_TIMEOUT_MS)
    server.kill('SIGCONT')
    await wait(800)
    const tally = await load.stop()
    expectNobodyPassed('SIGSTOP', tally)
    expect(tally.refused).toBeGreaterThan(0)
  })

  it('replaced by a new one on the same socket while the old one drains, as a reload of Kong does, three times', async () => {
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 3; round++) {
      await wait(200)
      const old = server
      server = await startPluginServer()
      old.kill('SIGTERM')
    }
    await wait(400)
    const tally = await load.stop()
    expectNobodyPassed('reload', tally)
    expect(tally.refused).toBeLessThan(tally.decided)
  })

  it('stopped and started again, twice', async () => {
    const load = startLoad(kong.port, folder.key)
    for (let round = 0; round < 2; round++) {
      await wait(300)
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
      server = await startPluginServer()
    }
    await wait(400)
    expectNobodyPassed('restart', await load.stop())
  })
})

async function replaceServer(): Promise<void> {
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
  server = await startPluginServer()
}

describe('two workers that ask nothing while the server is away', { timeout: 60_000 }, () => {
  it('each still has ids of the server before, by which nobody is decided about by another configuration', async () => {
    const clients = [kong, await startWorker()].map(({ port }) => createClient(port, folder.key))
    for (let round = 0; round < 4; round++) {
      if (round > 0) await replaceServer()
      // whoever comes first starts the instances in this round's order; the other one still has the ids of the last round
      for (const client of round % 2 === 0 ? clients : clients.toReversed()) {
        for (const path of rotated(PATHS, round)) await client.ask(path, true)
      }
    }
    backends.take()
    for (const { tally, close } of clients) {
      process.stdout.write(`${tallyText('kill -9 while nobody asks', tally)}\n`)
      expect(tally).toMatchObject({ decided: tally.sent, wrongConfiguration: 0, wrong: [] })
      close()
    }
  })
})

const rotated = <T>(list: readonly T[], by: number): T[] =>
  list.map((_, index) => list[(index + by) % list.length] as T)
