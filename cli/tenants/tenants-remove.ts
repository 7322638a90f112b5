/** `tenants remove`: a tenant is there no more, nor anything that it was found by. */
import { removeTenant as removeInRedis } from '../../stores/redis/directory/write.ts'
import { say, sayJson } from '../admin/server-options.ts'
import { openCommandAudit } from '../command-audit.ts'
import { badInput, type Io, wrongUse } from '../io.ts'
import { readOptions } from '../options.ts'
import { inRedis } from '../redis-session.ts'
import { idIn, NO_POLICY, REVISION_SPECS, redisOf, refusalWords, revisionIn } from './tenants-options.ts'

export async function removeTenant(argv: readonly string[], io: Io): Promise<number> {
  const wrong = (problem: string) => wrongUse(io, `tenants remove: ${problem}`)
  const refuse = (problem: string) => badInput(io, [`tenantgate: tenants remove: ${problem}`])
  const read = readOptions(REVISION_SPECS, argv, io.env)
  if (!read.ok) return wrong(read.problem)
  const named = idIn(read.positionals)
  if (!named.ok) return wrong(named.problem)
  const ifRevision = revisionIn(read.options)
  if (typeof ifRevision === 'string') return wrong(ifRevision)
  const place = redisOf(read.options, io.env)
  if (typeof place === 'string') return wrong(place)
  const opened = openCommandAudit(read.options.audit, io)
  if (!opened.ok) return refuse(opened.problem)

  const { id } = named
  const done = await inRedis(place, (connection) => removeInRedis(connection, id, { ifRevision }))
  const outcome = !done.ok ? 'failed' : done.value.kind === 'removed' ? 'done' : 'refused'
  const reason = done.ok && outcome === 'refused' ? { reason: done.value.kind } : {}
  opened.audit.changed({ action: 'tenant_removed', outcome, target: { tenant: id }, ...reason })
  await opened.audit.close()
  if (!done.ok) return refuse(done.problem)
  const { value } = done
  if (value.kind === 'no policy') return refuse(NO_POLICY)
  if (value.kind !== 'removed') return refuse(refusalWords(value, id))
  const { issuedKeys } = value
  if (read.options.json) return sayJson(io, { id, issuedKeys })
  const rest = issuedKeys > 0 ? `; ${issuedKeys} of its keys were issued since, and hold again where the id does` : ''
  return say(io, `${id}: is there no more${rest}\n`)
}
