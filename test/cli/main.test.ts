/** The command line as a process: help, version, wrong use. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

it.each(['show', 'reset', 'credit'])(
  'names each option of `limits %s`, and those that must be given as such',
  async (verb) => {
    const [own, all] = await Promise.all([run(['limits', '--help']), run(['--help'])])
    const optionsIn = (text: string) => {
      const line = text.split('\n').find((each) => each.includes(` limits ${verb} `)) ?? ''
      return [...line.matchAll(/\[?--[a-z]+/g)].map(([option]) => option).filter((option) => option !== '[--json')
    }
    expect(optionsIn(own.stdout).length).toBeGreaterThan(3)
    expect(optionsIn(all.stdout).sort()).toEqual(optionsIn(own.stdout).sort())
  },
)

it('ends quietly where nobody reads on', async () => {
  const main = spawn(process.execPath, [join(packageRoot, 'cli', 'main.ts'), '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  main.stdout.destroy()
  let stderr = ''
  main.stderr.on('data', (text) => {
    stderr += text
  })
  const [code] = await once(main, 'close')
  expect([code, stderr]).toEqual([0, ''])
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
