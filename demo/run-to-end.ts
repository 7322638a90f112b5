/** Runs a command to its end. */
import { execFile } from 'node:child_process'

interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number
}

/** What it wrote to stdout; undefined when it could not be started, failed or took too long. */
export function runToEnd(
  command: string,
  args: readonly string[],
  { env = process.env, timeoutMs = 20_000 }: RunOptions = {},
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, [...args], { env, timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    )
  })
}
