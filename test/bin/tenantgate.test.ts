/** The command in a checkout that was not built yet. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'

it('without a build says in one line what to do, and is no success', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tg-'))
  cpSync(join(packageRoot, 'bin'), join(folder, 'bin'), { recursive: true })
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'tenantgate.mjs'), '--version'], {
    encoding: 'utf8',
  })
  rmSync(folder, { recursive: true })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^tenantgate: not built yet: run `npm ci` .*\n$/)
})
