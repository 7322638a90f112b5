/** Looks for a Kong once, before any test runs: without one there is one message, and no test that fails. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findKong, kongText } from '../../../demo/find-kong.ts'

export default async function lookForKong(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tg-kong-'))
  const found = await findKong(folder)
  rmSync(folder, { recursive: true })
  if (!found.ok) {
    process.stderr.write(`test:kong: ${found.problem}\n`)
    process.exit(1)
  }
  await found.kong.close()
  process.stderr.write(`test:kong: ${kongText(found.kong)}\n`)
}
