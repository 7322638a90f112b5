/** Where the real Kong comes from: `KONG_BIN`, or a container of Docker's. */
import { execFile } from 'node:child_process'
import { packageRoot } from '../package-root.ts'

export interface Ended {
  readonly code: number
  readonly output: string
}

/** Kong's command line, wherever it runs. */
export interface KongCommand {
  /** Runs `kong …` to its end. */
  run(...args: readonly string[]): Promise<Ended>
  /** Whether Kong runs on this machine itself, so that it can start our plugin server. */
  readonly isLocal: boolean
  /** Ends the container, where there is one. */
  close(): Promise<void>
}

const HOW = `test:kong needs a Kong Gateway 3.9:
  KONG_BIN=/path/to/kong npm run test:kong     one that is installed here (its own command, not a wrapper of Docker)
  npm run test:kong                            with Docker's engine running: the image ${imageName()} is used`

/** `folder` is where configuration, prefix and sockets are; a container sees it under the same path. */
export async function findKong(folder: string): Promise<KongCommand> {
  const { KONG_BIN: file } = process.env
  if (file !== undefined && file !== '') {
    const kong: KongCommand = { run: (...args) => end(file, args), isLocal: true, close: async () => {} }
    const { code, output } = await kong.run('version')
    if (code !== 0) throw new Error(`KONG_BIN is ${file}, which does not run: ${output}\n${HOW}`)
    return kong
  }
  if ((await end('docker', ['info'])).code !== 0) throw new Error(HOW)
  return inContainer(folder)
}

/** A container that waits, with the host's network and user, in which `kong` is run like a command of this machine. */
async function inContainer(folder: string): Promise<KongCommand> {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const mounts = ['-v', `${folder}:${folder}`, '-v', `${packageRoot}:${packageRoot}:ro`]
  const waiting = ['--entrypoint', 'sleep', imageName(), '3600']
  const started = await end('docker', ['run', '-d', '--rm', '--network', 'host', '--user', user, ...mounts, ...waiting])
  const id = started.output.trim().split('\n').at(-1) ?? ''
  if (started.code !== 0) throw new Error(`no container of ${imageName()}: ${started.output}`)
  return {
    run: (...args) => end('docker', ['exec', id, 'kong', ...args]),
    isLocal: false,
    close: async () => void (await end('docker', ['rm', '-f', id])),
  }
}

function imageName(): string {
  return process.env.KONG_IMAGE ?? 'kong:3.9'
}

/** Settings of Kong come from the test's own file alone. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KONG_')))
}

function end(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, [...args], { env: environment(), timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output: `${stdout}${stderr}${error !== null && typeof error.code !== 'number' ? error : ''}` })
    })
  })
}
