/** `tenantgate tenants …`: finds the verb. All of them work on a Redis, and need no service. */
import { runVerb, type Verb } from '../verbs.ts'
import { importTenants } from './tenants-import.ts'
import { listTenants } from './tenants-list.ts'
import { removeTenant } from './tenants-remove.ts'
import { setTenant } from './tenants-set.ts'
import { showTenant } from './tenants-show.ts'

const USAGE = `Usage: tenantgate tenants import FILE --redis URL [--dry-run] [--json]
       tenantgate tenants set ID --redis URL [--file FILE | --file -] [--if-revision N] [--json]
       tenantgate tenants remove ID --redis URL [--if-revision N] [--json]
       tenantgate tenants show ID --redis URL [--json]
       tenantgate tenants list --redis URL [--json]

import puts a whole policy into Redis, and every tenant of the file in the place of those that are there: in one step, or not at
all. set puts one tenant there, written as below its id in a policy, in YAML or JSON; without --file it is read from stdin. With
--if-revision it must be as show has told it, or, with 0, not be there yet. remove takes one away, with its names, hosts, keys and
certificates. Services that run with --policy redis://… follow at once. show prints what set takes.

--redis is redis://host:6379, redis+sentinel://host1,host2/primary or redis+cluster://host1,host2, with rediss for TLS; the
password is in TENANTGATE_REDIS_PASSWORD, or in the file of --redis-password-file. --audit FILE is told of each change.
`

const VERBS = {
  import: importTenants,
  set: setTenant,
  remove: removeTenant,
  show: showTenant,
  list: listTenants,
}

export const tenants: Verb = (argv, io) => runVerb({ command: 'tenants', usage: USAGE, verbs: VERBS }, argv, io)
