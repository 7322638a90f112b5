/** The stock `kong-js-pluginserver`, with our plugins as they are built, as a real process that decides at a moment of the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { packageRoot } from '../../../package-root.ts'

const SERVER = join(packageRoot, 'node_modules', 'kong-pdk', 'bin', 'kong-js-pluginserver')
const STAND_STILL = join(packageRoot, 'test', 'kong', 'harness', 'stand-still.ts')

export interface Build {
  /** The folder that holds the plugins and nothing else. */
  readonly plugins: string
  remove(): void
}

/** Builds the sources as they are now into a folder of its own, within the checkout so that its packages are found. */
export async function buildPlugins(): Promise<Build> {
  const folder = join(packageRoot, '.cache', `stock-${process.pid}`)
  const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', folder], {
    cwd: packageRoot,
  })
  return { plugins: join(folder, 'plugins'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What `--dump-all-plugins` prints, which is all that Kong learns of the plugins. */
export async function dumpAllPlugins({ plugins }: Build): Promise<string> {
  const argv = [SERVER, '--plugins-directory', plugins, '--dump-all-plugins']
  return (await promisify(execFile)(process.execPath, argv)).stdout
}

export interface StockServer {
  readonly socket: string
  readonly process: ChildProcess
  /** Everything that it has said. */
  output(): string
  stop(): Promise<void>
}

/**
 * `now` in ms since the epoch stands still for the process. The socket is in `own`, or in a folder made for it. Rejects with what
 * it said when it does not come up.
 */
export async function startStockServer(
  { plugins }: Build,
  env: NodeJS.ProcessEnv,
  now: number,
  own?: string,
): Promise<StockServer> {
  const folder = own ?? mkdtempSync(join(tmpdir(), 'tg-stock-'))
  const socket = join(folder, 's')
  const argv = ['--import', STAND_STILL, SERVER, '--plugins-directory', plugins, '--kong-prefix', folder]
  const child = spawn(process.execPath, [...argv, '--sock-name', 's'], {
    env: { PATH: process.env.PATH, ...env, STAND_STILL_AT: String(now) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  while (!(await accepts(socket))) {
    if (child.exitCode !== null) throw new Error(`the stock plugin server ended: ${said}`)
    await wait(20)
  }
  return {
    socket,
    process: child,
    output: () => said,
    stop: async () => {
      child.kill('SIGKILL')
      await over
      if (own === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
