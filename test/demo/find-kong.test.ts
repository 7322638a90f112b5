/** A Kong is looked for before anything is started on it, and what cannot be used is told in one message. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findKong, kongText } from '../../demo/find-kong.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-find-kong-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What is found where KONG_BIN is a command that does this. */
function found(script: string, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'kong')
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return findKong(folder, { PATH: process.env.PATH, ...env, KONG_BIN: file })
}

describe('KONG_BIN', () => {
  it('is taken when it says that it is Kong 3.9', async () => {
    const result = await found('echo 3.9.3')
    expect(result).toMatchObject({ ok: true, kong: { version: '3.9.3', isLocal: true } })
    expect(result.ok && kongText(result.kong)).toBe('Kong 3.9.3, by KONG_BIN')
  })

  it('is taken when it is a newer 3.x, which is told', async () => {
    const result = await found('echo Kong Enterprise 3.10.0.2')
    expect(result.ok && kongText(result.kong)).toMatch(/^Kong 3\.10\.0, .* has not been tried/)
  })

  it.each([
    ['an older Kong', 'echo 3.8.1', 'version 3.8.1'],
    ['another major version', 'echo 4.0.0', 'version 4.0.0'],
    ['a command that says nothing', 'true', 'no Kong that runs here;'],
    ['a command that says something else', 'echo hello', 'says: hello'],
    ['a command that fails', 'echo 3.9.3; exit 1', 'no Kong that runs here'],
  ])('%s is refused', async (_, script, words) => {
    const result = await found(script)
    expect(result).toMatchObject({ ok: false, problem: expect.stringContaining(words) })
    expect(result).toMatchObject({ problem: expect.stringContaining('it must be Kong 3.9') })
  })

  it('that is no file is refused', async () => {
    const result = await findKong(folder, { KONG_BIN: join(folder, 'none') })
    expect(result).toMatchObject({ ok: false, problem: expect.stringContaining('no Kong that runs here') })
  })

  it('gets the settings that it is run with, and none of this process', async () => {
    const result = await found('echo 3.9.3 "$KONG_DATABASE" "$KONG_PREFIX"', { KONG_DATABASE: 'postgres' })
    const { output } = (await (result.ok && result.kong.run(['version'], { KONG_PREFIX: '/here' }))) || {}
    expect(output).toBe('3.9.3  /here\n')
  })
})

it('where there is neither KONG_BIN nor Docker, what helps is told', async () => {
  const result = await findKong(folder, { PATH: folder, KONG_IMAGE: 'kong:test' })
  expect(result).toMatchObject({ ok: false, problem: expect.stringMatching(/set KONG_BIN[\s\S]*image kong:test/) })
})
