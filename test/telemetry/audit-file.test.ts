/** The file of the audit: nothing waits for it, and what it cannot take is counted. */
import { execFileSync } from 'node:child_process'
import {
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditSink } from '../../telemetry/audit.ts'
import { auditToStdout, openAuditFile } from '../../telemetry/audit-file.ts'

/** Far more than it takes. */
const SOON = { timeout: 10_000 }

let folder: string
let path: string
let failures: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-audit-'))
  path = join(folder, 'audit.jsonl')
  failures = []
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function opened(file = path): AuditSink {
  const result = openAuditFile(file, (code) => void failures.push(code))
  if (!result.ok) throw new Error(result.problem)
  return result.sink
}

const text = (file = path) => readFileSync(file, 'utf8')

describe('the file', () => {
  it('gets every line in its order, behind what was there, and is not for everybody', async () => {
    writeFileSync(path, 'before\n', { mode: 0o640 })
    const sink = opened()
    const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`)
    for (const line of lines.slice(0, 500)) sink.write(line)
    await new Promise((resolve) => setImmediate(resolve))
    for (const line of lines.slice(500)) sink.write(line)
    await sink.close()
    expect(text()).toBe(`before\n${lines.join('')}`)
    expect(sink.lost).toBe(0)
    const own = opened(join(folder, 'own'))
    await own.close()
    expect(statSync(join(folder, 'own')).mode & 0o007).toBe(0)
  })

  it('is another one after a rotation, and no line is lost in between', async () => {
    const sink = opened()
    sink.write('old\n')
    await expect.poll(() => text(), SOON).toBe('old\n')
    renameSync(path, `${path}.1`)
    sink.write('still old\n')
    await expect.poll(() => text(`${path}.1`), SOON).toBe('old\nstill old\n')
    sink.reopen()
    await expect.poll(() => text(), SOON).toBe('')
    await expect
      .poll(() => {
        sink.write('new\n')
        return text()
      }, SOON)
      .toContain('new\n')
    await sink.close()
  })

  it('that cannot be opened is told at start: a folder, and a pipe that nobody reads', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    for (const name of ['.', 'pipe', 'none/x']) {
      expect(openAuditFile(join(folder, name), () => {})).toEqual({
        ok: false,
        problem: expect.stringContaining(folder),
      })
    }
  })
})

describe('a disk that is full', () => {
  it('loses lines, counts them, says so once, and takes lines again when there is room', async () => {
    symlinkSync('/dev/full', path)
    const sink = opened()
    for (let i = 0; i < 10; i++) sink.write('lost\n')
    await expect.poll(() => sink.lost, SOON).toBe(10)
    sink.write('lost\n')
    await expect.poll(() => sink.lost, SOON).toBe(11)
    expect(failures).toEqual(['ENOSPC'])
    unlinkSync(path)
    sink.reopen()
    await expect
      .poll(() => {
        sink.write('kept\n')
        return readFileSync(path, { encoding: 'utf8', flag: 'a+' })
      }, SOON)
      .toContain('kept\n')
    await sink.close()
    expect(text()).not.toContain('lost')
  })

  it('that is slow costs a bounded part of memory; the rest is lost and counted', () => {
    const sink = opened()
    const line = `${'x'.repeat(1023)}\n`
    for (let i = 0; i < 5000; i++) sink.write(line)
    expect(sink.lost).toBe(5000 - 4096)
    return sink.close()
  })
})

it('on stdout, what nobody reads is counted', () => {
  const written: string[] = []
  const sink = auditToStdout({ write: (line) => written.push(line) < 2, close: async () => {} })
  for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line)
  expect([written, sink.lost]).toEqual([['a\n', 'b\n', 'c\n'], 2])
})
