/** The lock around the installation: one owner at a time, and none that has died. Plain JavaScript, so processes of their own use it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'

let folder: string
let children: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
  children = []
})
afterEach(async () => {
  for (const child of children) await end(child, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const lockFile = () => join(folder, 'cache', 'install.lock')

/** A process that tries once, says whether it got the lock and who owns it, and stays until it is told to end. */
async function taker(before = ''): Promise<{ child: ChildProcess; taken: boolean; owner: number }> {
  const script = `
    import { lock } from ${JSON.stringify(join(packageRoot, 'tools', 'lock.mjs'))}
    const only = lock(${JSON.stringify(lockFile())})
    process.on('SIGTERM', () => process.exit())
    ${before}
    const taken = only.take()
    console.log(JSON.stringify({ taken, owner: only.owner() }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = await once(child.stdout, 'data')
  return { child, ...JSON.parse(String(line)) }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

it('one of several that try at once gets it, and all know who', async () => {
  const takers = await Promise.all([taker(), taker(), taker()])
  const winners = takers.filter(({ taken }) => taken)
  expect(winners).toHaveLength(1)
  expect(takers.map(({ owner }) => owner)).toEqual(Array(3).fill(winners[0]?.child.pid))
})

it('it is given back when its owner ends', async () => {
  await end((await taker()).child, 'SIGTERM')
  expect(readdirSync(join(folder, 'cache'))).toEqual([])
})

it('that of an owner who was killed is taken over', async () => {
  await end((await taker()).child, 'SIGKILL')
  expect(readdirSync(join(folder, 'cache'))).toEqual(['install.lock'])
  // the first try clears it away
  expect(await taker()).toMatchObject({ taken: false })
  expect(await taker()).toMatchObject({ taken: true })
})

it('that of an owner who was killed is taken over, also by one who has his process id now', async () => {
  const leftBehind = `
    const fs = await import('node:fs')
    fs.mkdirSync(${JSON.stringify(join(folder, 'cache'))})
    fs.symlinkSync(String(process.pid), ${JSON.stringify(lockFile())})
    only.take()`
  expect(await taker(leftBehind)).toMatchObject({ taken: true })
})
