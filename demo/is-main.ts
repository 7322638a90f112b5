/** Whether a file is the program, or only imported by one: `import.meta.main` says so in Node 24, but not in all of Node 22. */
import { existsSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Takes the `import.meta.url` of the file that asks. A link to the file is the file, as it is to Node. */
export function isMain(url: string): boolean {
  const [, program] = process.argv
  return program !== undefined && existsSync(program) && realpathSync(program) === fileURLToPath(url)
}
