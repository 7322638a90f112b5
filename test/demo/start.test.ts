/** The options of `npm start`: help and wrong use are answered before anything is started. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'

function start(...args: string[]) {
  const ran = spawnSync(process.execPath, [join(packageRoot, 'demo', 'start.ts'), ...args], { encoding: 'utf8' })
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr }
}

it.each(['--help', '-h'])('%s names every option and setting', (option) => {
  const { status, stdout } = start(option)
  expect(status).toBe(0)
  for (const name of [
    '--smoke',
    '--redis',
    'TENANTGATE_DEMO_PORT',
    'TENANTGATE_DEMO_HTTP_PORT',
    'TENANTGATE_DEMO_ADMIN_PORT',
    'ENVOY_BIN',
    'REDIS_BIN',
  ]) {
    expect(stdout).toContain(name)
  }
})

it('an unknown option names the nearest', () => {
  expect(start('--smok')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('unknown option --smok; did you mean --smoke?'),
  })
})

it('a word that is no option is refused', () => {
  expect(start('smoke')).toMatchObject({ status: 2, stderr: expect.stringContaining("unexpected 'smoke'") })
})
