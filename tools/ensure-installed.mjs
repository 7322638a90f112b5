/**
 * Runs before `npm start` and `npm test`: installs the locked dependencies where they are missing or old, then builds when a
 * source is newer than the build. Plain JavaScript, because on a fresh machine this is all that can run.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lock } from './lock.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (/** @type {string[]} */ ...parts) => join(root, ...parts)

const say = (/** @type {string} */ text) => process.stderr.write(`tenantgate: ${text}\n`)

/** The one that runs now, if any. It leads a process group, so that its own children can be ended with it. */
let running
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    process.exitCode = 128 + constants.signals[signal]
    // who asks to end while something is installed waits for that, or the next start would meet it
    if (running === undefined) process.exit()
    try {
      process.kill(-running.pid, signal)
    } catch {
      // it has just ended
    }
  })
}

async function run(/** @type {string} */ what, /** @type {string} */ command, /** @type {string[]} */ args) {
  const line = [command, ...args].join(' ')
  say(`${what} (${line})`)
  running = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], detached: true })
  const status = await new Promise((resolve) => running.once('exit', resolve).once('error', resolve))
  running = undefined
  if (process.exitCode) process.exit()
  if (status === 0) return
  say(`'${line}' failed; run it by hand to see why`)
  process.exit(1)
}

/** npm writes node_modules/.package-lock.json last; an install that was broken off leaves none. */
function isInstalled() {
  const stamp = at('node_modules', '.package-lock.json')
  if (!existsSync(stamp) || !existsSync(at('node_modules', 'node', 'bin', 'node'))) return false
  const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(stamp, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
  )
}

function newest(/** @type {string} */ folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    latest = Math.max(latest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
  }
  return latest
}

function isBuilt() {
  const stamp = at('dist', 'cli', 'main.js')
  if (!existsSync(stamp)) return false
  const { include } = JSON.parse(readFileSync(at('tsconfig.build.json'), 'utf8'))
  const folders = include.filter((/** @type {string} */ name) => !name.endsWith('.ts') && existsSync(at(name)))
  const builtAt = statSync(stamp).mtimeMs
  return folders.every((/** @type {string} */ folder) => newest(at(folder)) <= builtAt)
}

async function install() {
  if (!isInstalled()) await run('installing the locked dependencies', 'npm', ['ci', '--no-audit', '--no-fund'])
  if (!isInstalled()) {
    say(
      'Node 24 did not come with the dependencies: is `ignore-scripts` set in your npm configuration? ' +
        'Run `npm ci --ignore-scripts=false`.',
    )
    process.exit(1)
  }
  if (!isBuilt()) await run('building', 'npm', ['run', '--silent', 'build'])
}

const only = lock(at('.cache', 'install.lock'))
// where all is there nothing is written, so that a checkout may be read-only
if (only.owner() !== undefined || !isInstalled() || !isBuilt()) {
  for (let told = false; !only.take(); ) {
    const owner = only.owner()
    if (owner === undefined) continue
    if (!told) say(`process ${owner} installs in this checkout already; waiting for it (its lock: ${only.file})`)
    told = true
    await wait(200)
  }
  await install()
}
