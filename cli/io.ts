/** What every command shares: where it writes, what it may read, and what its exit code says. */

export interface Io {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The exit codes of the command line's contract. */
export const EXIT = { ok: 0, badInput: 1, wrongUse: 2, deny: 3 } as const

/** Says what is wrong with the command line; the exit code to return. */
export function wrongUse(io: Io, message: string): number {
  io.stderr.write(`tenantgate: ${message}\n`)
  return EXIT.wrongUse
}

/** Says what is wrong with what was given, a line each; the exit code to return. */
export function badInput(io: Io, lines: readonly string[]): number {
  for (const line of lines) io.stderr.write(`${line}\n`)
  return EXIT.badInput
}
