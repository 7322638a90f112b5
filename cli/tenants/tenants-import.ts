/** `tenants import`: a policy file, checked as `validate` checks it, becomes the policy of all instances of a Redis. */
import { formatNote, formatProblem } from '../../policy/problem.ts'
import { type Differences, type ImportOutcome, importPolicy } from '../../stores/redis/directory/import.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { openCommandAudit } from '../command-audit.ts'
import { countOf } from '../count-of.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { type InRedis, inRedis } from '../redis-session.ts'
import { readPolicyToImport } from './policy-file.ts'
import { CHANGE_SPECS, redisOf } from './tenants-options.ts'

const SPECS = { ...CHANGE_SPECS, 'dry-run': { type: 'boolean' } } as const

export async function importTenants(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `tenants import: ${problem}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: tenants import: ${problem}`])
  const read = readOptions(SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const [file, ...more] = read.positionals
  if (file === undefined || more.length > 0) return wrong('which file? `tenantgate tenants import FILE --redis URL`')
  const place = redisOf(read.options, io.env)
  if (typeof place === 'string') return wrong(place)
  const policy = readPolicyToImport(file, io.env, place)
  if (!policy.ok) return badInput(io, policy.problems.map(formatProblem))
  for (const note of policy.notes) io.stderr.write(`${formatNote(note)}\n`)
  const { 'dry-run': dryRun = false, json = false } = read.options
  const opened = openCommandAudit(dryRun ? undefined : read.options.audit, io)
  if (!opened.ok) return refuse(opened.problem)

  const { bundle, tenants } = policy
  const facts = { version: bundle.version, tenants: tenants.size }
  const done = await inRedis(place, (connection) => importPolicy(connection, bundle, tenants, { dryRun }))
  opened.audit.changed({ action: 'policy_imported', target: facts, ...outcomeOf(done) })
  await opened.audit.close()
  if (!done.ok) return refuse(done.problem)
  const { kind, differences } = done.value
  if (kind === 'overtaken' || kind === 'changed') return refuse(REFUSALS[kind])
  if (json) return sayJson(io, { outcome: kind, ...facts, ...differences })
  return say(
    io,
    `${file}: ${SAID[kind]} (version ${bundle.version}, ${countOf(tenants.size, 'tenant')})\n${told(differences)}`,
  )
}

const REFUSALS = {
  overtaken:
    'another import has begun meanwhile and takes the place of this one, or Redis has lost its data; nothing was changed',
  changed:
    'policy or tenants were changed meanwhile, so that nothing was imported; look at what is there, and import again',
} as const

const SAID = {
  imported: 'imported',
  same: 'is what is there already',
  tried: 'would be imported; nothing was changed',
} as const

function outcomeOf(done: InRedis<ImportOutcome>): { outcome: 'done' | 'refused' | 'failed'; reason?: string } {
  if (!done.ok) return { outcome: 'failed' }
  const { kind } = done.value
  return kind === 'overtaken' || kind === 'changed' ? { outcome: 'refused', reason: kind } : { outcome: 'done' }
}

function told({ added, changed, removed, isPolicyChanged }: Differences): string {
  const lines = [
    isPolicyChanged ? 'changed  what holds for all: plans, routes, issuers and the rest\n' : '',
    listed('added  ', added),
    listed('changed', changed),
    listed('removed', removed),
  ]
  return lines.join('')
}

const MOST_TOLD = 20

function listed(what: string, ids: readonly string[]): string {
  if (ids.length === 0) return ''
  const more = ids.length > MOST_TOLD ? ` and ${ids.length - MOST_TOLD} more` : ''
  return `${what}  ${ids.length}: ${ids.slice(0, MOST_TOLD).join(', ')}${more}\n`
}
