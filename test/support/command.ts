/** Runs a command of the command line in this process and keeps what it says. */
import type { Io } from '../../cli/io.ts'

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function said(
  command: (argv: readonly string[], io: Io) => number | Promise<number>,
  argv: readonly string[],
  env: Io['env'] = {},
): Promise<Said> {
  const told = { stdout: '', stderr: '' }
  const to = (name: keyof typeof told) => ({
    write: (text: string) => {
      told[name] += text
    },
  })
  const code = await command(argv, { stdout: to('stdout'), stderr: to('stderr'), env })
  return { code, ...told }
}
