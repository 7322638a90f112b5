/** The command line as a process: help, version, wrong use. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { run } from './serving.ts'

it('says what it can do and which version it is', async () => {
  const help = await run(['--help'])
  expect([help.code, help.stderr]).toEqual([0, ''])
  for (const command of ['serve', 'validate', 'explain', 'keys create']) expect(help.stdout).toContain(command)
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

it.each([
  [['serv'], 'did you mean `serve`?'],
  [['constructor'], 'there is no command `constructor`'],
  [[], 'which command?'],
])('wrong use exits 2 and says what is meant: %j', async (argv, words) => {
  const { code, stdout, stderr } = await run(argv)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(words)
})
