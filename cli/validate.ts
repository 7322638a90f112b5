/** `tenantgate validate FILE…`: says of each policy whether it is good, and of each problem where it stands and what to write. */
import { loadPolicy } from '../policy/load.ts'
import { formatProblem } from '../policy/problem.ts'
import { EXIT, type Io } from './io.ts'

/** Good files are told on stdout, problems on stderr. Answers the exit code: 0, 1 when any file has a problem, 2 for no file. */
export async function validate(files: readonly string[], { stdout, stderr, env }: Io): Promise<number> {
  if (files.length === 0) {
    stderr.write('tenantgate: validate: which file? `tenantgate validate FILE...`\n')
    return EXIT.wrongUse
  }
  let exitCode: number = EXIT.ok
  for (const file of files) {
    const loaded = loadPolicy(file, env)
    if (loaded.ok) {
      const counts = `${count(loaded.tenantCount, 'tenant')}, ${count(loaded.policy.routes.routes.length, 'route')}`
      stdout.write(`${file}: ok (${counts})\n`)
    } else {
      for (const problem of loaded.problems) stderr.write(`${formatProblem(problem)}\n`)
      exitCode = EXIT.badInput
    }
  }
  return exitCode
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
