/** A command that has verbs: which one is meant, and the help for all of them. */
import { EXIT, type Io, wrongUse } from './io.ts'

/** Answers the exit code. */
export type Verb = (argv: readonly string[], io: Io) => number | Promise<number>

export interface Verbs {
  /** As the first word of the command line has it: `keys`. */
  readonly command: string
  readonly usage: string
  /** By name, in the order in which they are told. */
  readonly verbs: Readonly<Record<string, Verb>>
}

/** Runs the verb that the first word names. Help goes to stdout; another word, or none, is wrong use. */
export async function runVerb({ command, usage, verbs }: Verbs, argv: readonly string[], io: Io): Promise<number> {
  const [name = '', ...rest] = argv
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  const asksHelp = ['--help', '-h'].some((option) => (verb ? rest : [name]).includes(option))
  if (asksHelp) {
    io.stdout.write(usage)
    return EXIT.ok
  }
  if (!verb) return wrongUse(io, `${command}: expected ${listed(Object.keys(verbs))}, got '${name}'\n\n${usage}`)
  return verb(rest, io)
}

/** `a, b or c` */
function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
