/** `tenantgate limits …`: finds the verb. All of them ask a running service: limits live where requests are counted. */
import { runVerb, type Verb } from '../verbs.ts'
import { creditLimit, resetLimit } from './limits-change.ts'
import { showLimits } from './limits-show.ts'

const USAGE = `Usage: tenantgate limits show --tenant TENANT [--limit LIMIT] [--scope SCOPE] [--most 100] --server URL [--json]
       tenantgate limits reset --tenant TENANT --limit LIMIT [--scope SCOPE] [--by user=U]... [--all] --server URL [--json]
       tenantgate limits credit --tenant TENANT --limit LIMIT --units N [--scope SCOPE] [--by user=U]... --server URL [--json]

show tells what is used and left; reset makes a bucket full again, --all every bucket of the limit; credit gives units back,
never beyond full, and takes them with --units=-N. SCOPE says whose limit it is where several have the name: tenant (of the
plan, or its own), route:NAME or credential:ID. --by says which bucket of a limit that counts by more than the tenant, in the
words of the policy and as show tells them: user=u1, credential=ci, ip=192.0.2.7, header:x-team=blue.

--server (http://127.0.0.1:9003 or unix:/path) is the address of --admin of a running service; its token is in
TENANTGATE_ADMIN_TOKEN, or in the file of --admin-token-file.
`

const VERBS = { show: showLimits, reset: resetLimit, credit: creditLimit }

export const limits: Verb = (argv, io) => runVerb({ command: 'limits', usage: USAGE, verbs: VERBS }, argv, io)
