/** `tenants set`: one tenant, written as below its id in a policy, is there from now on, or takes the place of what it was. */
import { readFileSync } from 'node:fs'
import type { RedisPlace } from '../../core/policy.ts'
import { readText } from '../../policy/files.ts'
import { parseTenant } from '../../policy/one-tenant.ts'
import { formatNote, formatProblem, type Problem } from '../../policy/problem.ts'
import type { NewTenant } from '../../stores/redis/directory/facts.ts'
import type { LiveDirectory } from '../../stores/redis/directory/read.ts'
import { type SetOutcome, setTenant as setInRedis, type Taken } from '../../stores/redis/directory/write.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { openCommandAudit } from '../command-audit.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { inRedis } from '../redis-session.ts'
import { printable } from '../table.ts'
import { newTenant } from './policy-file.ts'
import { idIn, NO_POLICY, REVISION_SPECS, redisOf, refusalWords, revisionIn } from './tenants-options.ts'

const SPECS = { ...REVISION_SPECS, file: { type: 'string' } } as const

const STDIN = '-'

export async function setTenant(argv: readonly string[], io: Io): Promise<number> {
  const wanted = readWanted(argv, io.env)
  if (typeof wanted === 'string') return wrongUse(io, `tenants set: ${wanted}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: tenants set: ${printable(problem)}`])
  const { id, file, place, ifRevision, json } = wanted
  const source = file === STDIN ? textOfStdin() : readText(file)
  if ('failure' in source) return refuse(`${file} ${source.failure}`)
  const opened = openCommandAudit(wanted.audit, io)
  if (!opened.ok) return refuse(opened.problem)

  const make = (live: LiveDirectory | undefined) => made({ id, text: source.text, file }, live, io)
  const done = await inRedis(place, (connection) => setInRedis(connection, make, { ifRevision }))
  const outcome = !done.ok ? 'failed' : done.value.kind === 'set' ? 'done' : 'refused'
  const reason = done.ok && outcome === 'refused' ? { reason: done.value.kind } : {}
  opened.audit.changed({ action: 'tenant_set', outcome, target: { tenant: id }, ...reason })
  await opened.audit.close()
  if (!done.ok) return refuse(done.problem)
  const { value } = done
  if (value.kind === 'unfit') return badInput(io, value.problems.map(formatProblem))
  if (value.kind !== 'set') return refuse(wordsOf(value, id))
  const { revision, isNew } = value
  if (json) return sayJson(io, { id, revision, isNew })
  return say(io, `${id}: ${isNew ? 'is there now' : 'changed'}, revision ${revision}\n`)
}

interface Wanted {
  readonly id: string
  readonly file: string
  readonly place: RedisPlace
  readonly ifRevision: number | undefined
  readonly audit: string | undefined
  readonly json: boolean
}

/** A text says what is wrong. */
function readWanted(argv: readonly string[], env: Io['env']): Wanted | string {
  const read = readOptions(SPECS, argv, env)
  if (!read.ok) return read.problem
  const { file = STDIN, audit, json = false } = read.options
  const id = idIn(read.positionals)
  if (!id.ok) return id.problem
  const ifRevision = revisionIn(read.options)
  if (typeof ifRevision === 'string') return ifRevision
  const place = redisOf(read.options, env)
  if (typeof place === 'string') return place
  return { id: id.id, file, place, ifRevision, audit, json }
}

function textOfStdin(): { readonly text: string } | { readonly failure: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(0)) }
  } catch {
    return { failure: 'cannot be read as UTF-8 text; give the tenant by --file FILE, or on stdin' }
  }
}

type Unmade = { readonly kind: 'no policy' } | { readonly kind: 'unfit'; readonly problems: readonly Problem[] }

interface Source {
  readonly id: string
  readonly text: string
  readonly file: string
}

async function made(source: Source, live: LiveDirectory | undefined, { stderr }: Io): Promise<NewTenant | Unmade> {
  if (!live) return { kind: 'no policy' }
  const { text: policy } = await live.bundle()
  const parsed = parseTenant({ ...source, policy })
  if (!parsed.ok) return { kind: 'unfit', problems: parsed.problems }
  for (const note of parsed.notes) stderr.write(`${formatNote(note)}\n`)
  return newTenant(parsed.tenant, parsed.divided)
}

function wordsOf(value: Exclude<SetOutcome | Unmade, { kind: 'set' | 'unfit' }>, id: string): string {
  switch (value.kind) {
    case 'no policy':
      return NO_POLICY
    case 'taken':
      return value.taken.map(takenWords).join('; ')
    case 'other revision':
      return `${refusalWords(value, id)}${value.revision === 0 ? '; --if-revision 0 makes one' : ''}`
    case 'contended':
      return refusalWords(value, id)
  }
}

function takenWords({ kind, name, by }: Taken): string {
  switch (kind) {
    case 'id':
      return `the id '${name}' is an alias of '${by}'; write another id, or take the alias away there`
    case 'names':
      return `aliases: '${name}' is ${name === by ? 'the id of a tenant' : `an alias of '${by}'`}; write another`
    case 'hosts':
      return `hosts: '${name}' belongs to '${by}'; write another`
    case 'certificates':
      return `certificates: ${name} names those of '${by}'; write another name`
    case 'keys':
      return `apiKeys: the hash sha256:${name} is that of a key of '${by}'; write that of a key of its own`
  }
}
