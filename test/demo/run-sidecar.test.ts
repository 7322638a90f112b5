/** What whoever runs the demo sees of the sidecar's log: that something is wrong, and nothing else. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createCredentials } from '../../demo/credentials.ts'
import { createLeash, type Leash } from '../../demo/leash.ts'
import { writePolicyCopy } from '../../demo/policy-copy.ts'
import { runSidecar } from '../../demo/run-sidecar.ts'
import { troubleIn } from '../../demo/sidecar-words.ts'

let folder: string
let leash: Leash
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'tg-'))
  leash = createLeash(folder)
})
afterEach(async () => {
  await leash.release()
  rmSync(folder, { recursive: true, force: true })
})

it('flags that are saved and are bad are told with their place and what to write', async () => {
  const policy = writePolicyCopy(folder, await createCredentials())
  const adminTokenFile = join(folder, 'admin-token')
  writeFileSync(adminTokenFile, 't'.repeat(64), { mode: 0o600 })
  let onTrouble: (words: string) => void = () => {}
  const told = new Promise<string>((resolve) => {
    onTrouble = resolve
  })
  const socket = join(folder, 's')
  const { child } = await runSidecar({ leash, policy, socket, httpPort: 0, adminPort: 0, adminTokenFile, onTrouble })
  try {
    writeFileSync(join(folder, 'flags.json'), '{"flags": {"orders-backend": 3}}')
    const lines = (await told).split('\n')
    expect(lines).toEqual([
      'the sidecar: policy rejected, the last good one stays',
      expect.stringContaining(`${join(folder, 'flags.json')}:1:30: flags.orders-backend: is a number`),
    ])
  } finally {
    await child.stop()
  }
})

it.each([
  ['{"level":"info","msg":"listening"}', undefined],
  ['{"level":"debug","msg":"decision"}', undefined],
  ['no JSON', undefined],
  ['null', undefined],
  ['{"level":"warn","time":"t","notes":["a","b"],"msg":"a slip"}', 'the sidecar: a slip\n  a\n  b'],
  ['{"level":"error","time":"t","because":"x","msg":"gone"}', 'the sidecar: gone {"because":"x"}'],
])('of the line %s', (line, words) => {
  expect(troubleIn(line)).toBe(words)
})
