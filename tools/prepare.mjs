/**
 * npm's `prepare`: builds once the dependencies are there. `npx tenantgate` in a fresh checkout runs it before, and must not fail:
 * npx would remember the failure, and our command could not say what to do. Plain JavaScript, as nothing is built yet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

if (existsSync(new URL('../node_modules/typescript', import.meta.url))) {
  const windows = process.platform === 'win32'
  process.exitCode = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: windows }).status ?? 1
}
