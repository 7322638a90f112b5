/** `tenantgate validate`: one line per good file, every problem of a bad one, and the exit code. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { validate } from '../../cli/validate.ts'
import { packageRoot } from '../../package-root.ts'
import { said } from '../support/command.ts'

const folder = join(packageRoot, 'test', 'fixtures', 'policy')

const env = { INTERNAL_SECRET: 'not-a-real-secret-but-long-enough' }

async function run(...names: string[]) {
  const files = names.map((name) => join(folder, name))
  const { code: exitCode, ...told } = await said(validate, files, env)
  return { exitCode, ...told }
}

it('exits 0 and counts what a good policy holds', async () => {
  const file = join(folder, 'complete.yaml')
  expect(await run('complete.yaml')).toEqual({ exitCode: 0, stdout: `${file}: ok (3 tenants, 5 routes)\n`, stderr: '' })
})

it('without a file is wrong use: an empty variable in a script is no success', async () => {
  expect(await run()).toEqual({ exitCode: 2, stdout: '', stderr: expect.stringContaining('which file?') })
})

it('exits 1 and says where and what, also when another file is good', async () => {
  const result = await run('busted-unknown-plan.yaml', 'complete.yaml')
  expect(result.exitCode).toBe(1)
  expect(result.stdout).toContain('complete.yaml: ok')
  const at = `${join(folder, 'busted-unknown-plan.yaml')}:6:17: tenants.acme.plan`
  expect(result.stderr).toBe(`${at}: there is no plan \`fre\`; did you mean \`free\`?\n`)
})

it('notes what may be a slip, and exits 0', async () => {
  const file = join(folder, 'noted.yaml')
  const { exitCode, stdout, stderr } = await run('noted.yaml')
  expect([exitCode, stdout]).toEqual([0, `${file}: ok (1 tenant, 1 route)\n`])
  const [name = '', unit = '', ...rest] = stderr.split('\n')
  expect(name).toContain(`${file}:8:22: note: tenants.acme.limits[0].name: plan \`pro\` has no limit \`egres\``)
  expect(unit).toContain(`${file}:8:52: note: tenants.acme.limits[0].unit: `)
  expect(rest).toEqual([''])
})
