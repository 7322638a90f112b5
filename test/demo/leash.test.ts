/** Children do not outlive a launcher, even one that is killed outright. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A launcher with one child; the child obeys SIGTERM or does not. It prints the child's process id. */
function launcher(child: string): string {
  return `
import { startChild } from '${join(packageRoot, 'demo', 'child.ts')}'
import { createLeash } from '${join(packageRoot, 'demo', 'leash.ts')}'
const leash = createLeash('${join(folder, 'secrets')}')
const child = await startChild('a child', process.execPath, ['-e', ${JSON.stringify(child)}], { leash })
while (!child.lines.includes('ready')) await new Promise((resolve) => setTimeout(resolve, 10))
console.log(child.pid)
setInterval(() => {}, 1000)
`
}

const STUBBORN =
  "process.on('SIGTERM', () => {}); process.on('SIGINT', () => {}); console.log('ready'); setInterval(() => {}, 1000)"
const OBEDIENT = "console.log('ready'); setInterval(() => {}, 1000)"

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it.each([
  ['one that obeys', OBEDIENT],
  ['one that does not', STUBBORN],
])('%s ends with a launcher that is killed, and the credentials are removed', async (_, child) => {
  writeFileSync(join(folder, 'launcher.mjs'), launcher(child))
  writeFileSync(join(folder, 'secrets'), 'a key')
  const parent = spawn(process.execPath, [join(folder, 'launcher.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (data) => resolve(Number(data))))
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(pid) || existsSync(join(folder, 'secrets')), { timeout: 15_000 }).toBe(false)
})
