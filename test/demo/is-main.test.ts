/** A file that is a program and a module at once knows which of them it is now. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'

let folder: string
let program: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'))
  program = join(folder, 'program.mjs')
  const isMain = JSON.stringify(join(packageRoot, 'demo', 'is-main.ts'))
  writeFileSync(program, `import { isMain } from ${isMain}\nconsole.log(isMain(import.meta.url))\n`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const said = (...args: string[]) => {
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`.trim()
}

it('is the program when it is run, also by a link to it', () => {
  const link = join(folder, 'link.mjs')
  symlinkSync(program, link)
  expect([said(program), said(link)]).toEqual(['true', 'true'])
})

it('is a module when another program imports it, and when none is a file', () => {
  const other = join(folder, 'other.mjs')
  writeFileSync(other, "import './program.mjs'\n")
  const code = `import(${JSON.stringify(program)})`
  expect([said(other), said('-e', code), said('-e', code, 'no such file')]).toEqual(['false', 'false', 'false'])
})
