/** `tenantgate validate FILE…`: says of each policy whether it is good, and of each problem where it stands and what to write. */
import { loadPolicy } from '../policy/load.ts'
import { formatNote, formatProblem } from '../policy/problem.ts'
import { type DescriptorSource, loadDescriptorConfig } from '../policy/ratelimit/load.ts'
import { countOf } from './count-of.ts'
import { EXIT, type Io, wrongUse } from './io.ts'
import { readOptions } from './options.ts'
import { readRatelimitOptions } from './service/ratelimit-options.ts'

const SPECS = { 'ratelimit-config': { type: 'string' } } as const

/**
 * Good files are told on stdout, problems on stderr, and so are notes: what is accepted and perhaps not meant. Answers the
 * exit code: 0, 1 when anything has a problem, 2 for nothing to validate.
 */
export async function validate(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrongUse(io, `validate: ${read.problem}`)
  const { positionals: files, options } = read
  const folder = options['ratelimit-config']
  if (files.length === 0 && folder === undefined) {
    return wrongUse(io, 'validate: which file? `tenantgate validate FILE...`')
  }
  const address = files.find((file) => file.includes('://'))
  if (address !== undefined) {
    return wrongUse(io, 'validate: reads files; what stands in a Redis was checked when it was imported')
  }
  const ratelimit = folder === undefined ? undefined : readRatelimitOptions(folder, io.env)
  if (ratelimit?.ok === false) return wrongUse(io, `validate: ${ratelimit.problem}`)
  const good = files.map((file) => isGoodPolicy(file, io))
  if (ratelimit) good.push(isGoodFolder(ratelimit.options, io))
  return good.every(Boolean) ? EXIT.ok : EXIT.badInput
}

function isGoodPolicy(file: string, { stdout, stderr, env }: Io): boolean {
  const loaded = loadPolicy(file, env)
  if (loaded.ok) {
    const counts = `${countOf(loaded.tenantCount, 'tenant')}, ${countOf(loaded.policy.routes.routes.length, 'route')}`
    for (const note of loaded.notes) stderr.write(`${formatNote(note)}\n`)
    stdout.write(`${file}: ok (${counts})\n`)
  } else for (const problem of loaded.problems) stderr.write(`${formatProblem(problem)}\n`)
  return loaded.ok
}

function isGoodFolder({ folder, mergeDomains }: DescriptorSource, { stdout, stderr }: Io): boolean {
  const loaded = loadDescriptorConfig(folder, { mergeDomains })
  if (!loaded.ok) {
    for (const problem of loaded.problems) stderr.write(`${formatProblem(problem)}\n`)
    return false
  }
  for (const note of loaded.notes) stderr.write(`${formatNote(note)}\n`)
  stdout.write(`${folder}: ok (${countOf(loaded.config.domains.size, 'domain')})\n`)
  return true
}
