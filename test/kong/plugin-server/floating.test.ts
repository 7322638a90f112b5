/** Promises that a plugin leaves alone. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { createKongRpc } from '../harness/pb-client.ts'
import { newPath } from './running.ts'

it('a plugin that leaves promises alone neither ends the process nor its own event', async () => {
  const path = newPath()
  const child = spawn(process.execPath, [fileURLToPath(new URL('./floating-plugin.ts', import.meta.url)), path])
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  await expect.poll(() => lines, { timeout: 10_000 }).toEqual([path])
  const kong = createKongRpc({ socket: path, readTimeoutMs: 5000 })
  onTestFinished(() => kong.close())
  for (let i = 0; i < 2; i++) {
    expect(await kong.handleEvent('floating', 'a', {}, 'access', () => 'x')).toEqual({ outcome: 'done' })
  }
  const told = ['left alone', 'kong.nginx.get_var: the event is over']
  await expect.poll(() => lines.slice(1).sort()).toEqual([...told, ...told].sort())
  expect(child.exitCode).toBeNull()
})
