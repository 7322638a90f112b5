/** A folder of configuration files for a test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface TestFolder {
  readonly path: string
  write(files: Readonly<Record<string, string>>): void
  remove(): void
}

export function createTestFolder(files: Readonly<Record<string, string>> = {}): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'tenantgate-ratelimit-'))
  const folder: TestFolder = {
    path,
    write(more) {
      for (const [name, text] of Object.entries(more)) {
        const file = join(path, name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, text)
      }
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
  folder.write(files)
  return folder
}
