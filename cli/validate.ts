/** `tenantgate validate FILE…`: says of each policy whether it is good, and of each problem where it stands and what to write. */
import { loadPolicy } from '../policy/load.ts'
import type { Environment } from '../policy/outside.ts'
import { formatProblem } from '../policy/problem.ts'

export interface ValidateIo {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly env: Environment
}

/** Good files are told on stdout, problems on stderr. Answers the exit code: 0, or 1 when any file has a problem. */
export async function validate(files: readonly string[], { stdout, stderr, env }: ValidateIo): Promise<number> {
  let exitCode = 0
  for (const file of files) {
    const loaded = loadPolicy(file, env)
    if (loaded.ok) {
      const counts = `${count(loaded.tenantCount, 'tenant')}, ${count(loaded.policy.routes.routes.length, 'route')}`
      stdout.write(`${file}: ok (${counts})\n`)
    } else {
      for (const problem of loaded.problems) stderr.write(`${formatProblem(problem)}\n`)
      exitCode = 1
    }
  }
  return exitCode
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
