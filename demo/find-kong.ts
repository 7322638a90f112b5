/** Where the real Kong comes from: `KONG_BIN`, or a container of Docker's. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { packageRoot } from '../package-root.ts'

export interface Ended {
  readonly code: number
  readonly output: string
}

/** Kong's command line, wherever it runs. */
export interface KongCommand {
  /** Such as `3.9.3`. */
  readonly version: string
  /** Runs `kong …` to its end; of its own settings only `env` is in its environment. */
  run(args: readonly string[], env?: Env): Promise<Ended>
  /** Whether Kong runs on this machine itself, so that it can start our plugin server. */
  readonly isLocal: boolean
  /** Ends the container, where there is one. */
  close(): Promise<void>
}

export type KongResult =
  | { readonly ok: true; readonly kong: KongCommand }
  | { readonly ok: false; readonly problem: string }

type Env = Readonly<Record<string, string | undefined>>

/** What kong.conf and kong.yml are made for; Kong keeps them working within a major version. */
const MAJOR = 3
const OLDEST_MINOR = 9

/**
 * `folder` is where configuration, prefix and sockets are; a container sees it under the same path. KONG_BIN is taken at its word:
 * when it cannot be used nothing else is tried.
 */
export async function findKong(folder: string, env: Env = process.env): Promise<KongResult> {
  const { KONG_BIN: file, KONG_IMAGE: image = 'kong:3.9' } = env
  if (file !== undefined && file !== '') {
    const run: KongCommand['run'] = (args, settings) => end(file, args, { ...withoutSettings(env), ...settings })
    return checked(`KONG_BIN is ${file}`, { run, isLocal: true, close: async () => {} })
  }
  if ((await end('docker', ['info'], env)).code !== 0) return { ok: false, problem: notFound(image) }
  return inContainer(folder, image, env)
}

/** One line for people: which Kong it is, and whether it is the one that the configuration was tried on. */
export function kongText({ version, isLocal }: KongCommand): string {
  const line = `Kong ${version}, ${isLocal ? 'by KONG_BIN' : 'in a container'}`
  return version.startsWith(`${MAJOR}.${OLDEST_MINOR}.`)
    ? line
    : `${line}; the configuration is for ${MAJOR}.${OLDEST_MINOR}, and has not been tried on this one`
}

const notFound = (image: string) => `no Kong Gateway ${MAJOR}.${OLDEST_MINOR} was found. Do one of these:
  - set KONG_BIN to the file of a Kong that is installed here (its own command, not a wrapper of Docker)
  - start Docker's engine: the image ${image} is used then (KONG_IMAGE names another)`

/** A container that waits, with the host's network and user, in which `kong` is run like a command of this machine. */
async function inContainer(folder: string, image: string, env: Env): Promise<KongResult> {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const mounts = ['-v', `${folder}:${folder}`, '-v', `${packageRoot}:${packageRoot}:ro`]
  // a name of our own: what Docker prints when it has to fetch the image first is more than an id
  const name = `tenantgate-${randomUUID()}`
  const options = [
    '--name',
    name,
    '-d',
    '--rm',
    '--network',
    'host',
    '--user',
    user,
    ...mounts,
    '--entrypoint',
    'sleep',
  ]
  const started = await end('docker', ['run', ...options, image, '3600'], env, FETCH_TIMEOUT_MS)
  if (started.code !== 0) return { ok: false, problem: `no container of ${image}: ${started.output}` }
  const run: KongCommand['run'] = (args, settings = {}) => {
    const variables = Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    return end('docker', ['exec', ...variables, name, 'kong', ...args], env)
  }
  const close = async () => void (await end('docker', ['rm', '-f', name], env))
  return checked(`the image is ${image}`, { run, isLocal: false, close })
}

/** Whether it is a Kong at all, and new enough. One that is not is closed. */
async function checked(origin: string, kong: Omit<KongCommand, 'version'>): Promise<KongResult> {
  const { code, output } = await kong.run(['version'])
  const [version, major, minor] = /\b(\d+)\.(\d+)\.\d+\b/.exec(output) ?? []
  const isKong = code === 0 && version !== undefined
  if (isKong && Number(major) === MAJOR && Number(minor) >= OLDEST_MINOR)
    return { ok: true, kong: { ...kong, version } }
  await kong.close()
  const said = output.trim() === '' ? '' : ` (\`kong version\` says: ${output.trim()})`
  const fault = isKong ? `which is version ${version}` : `which is no Kong that runs here${said}`
  return { ok: false, problem: `${origin}, ${fault}; it must be Kong ${MAJOR}.${OLDEST_MINOR}, or a newer ${MAJOR}.x` }
}

/** Settings of Kong come from the files alone, not from this machine's environment. */
function withoutSettings(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('KONG_')))
}

const TIMEOUT_MS = 60_000
/** Some hundred megabytes. */
const FETCH_TIMEOUT_MS = 600_000

function end(command: string, args: readonly string[], env: Env, timeout = TIMEOUT_MS): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, [...args], { env, timeout }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output: `${stdout}${stderr}${error !== null && typeof error.code !== 'number' ? error : ''}` })
    })
  })
}
