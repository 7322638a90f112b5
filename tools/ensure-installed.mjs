/**
 * Runs before `npm start` and `npm test`: installs the locked dependencies where they are missing or old, then builds when a
 * source is newer than the build. Plain JavaScript, because on a fresh machine this is all that can run.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (/** @type {string[]} */ ...parts) => join(root, ...parts)

function run(/** @type {string} */ what, /** @type {string} */ command, /** @type {string[]} */ args) {
  process.stderr.write(`tenantgate: ${what} (${[command, ...args].join(' ')})\n`)
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (done.status === 0) return
  process.stderr.write(`tenantgate: '${[command, ...args].join(' ')}' failed; run it by hand to see why\n`)
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

if (!isInstalled()) run('installing the locked dependencies', 'npm', ['ci', '--no-audit', '--no-fund'])
if (!isInstalled()) {
  process.stderr.write(
    'tenantgate: Node 24 did not come with the dependencies: is `ignore-scripts` set in your npm configuration? ' +
      'Run `npm ci --ignore-scripts=false`.\n',
  )
  process.exit(1)
}
if (!isBuilt()) run('building', 'npm', ['run', '--silent', 'build'])
