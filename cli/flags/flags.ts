/** `tenantgate flags …`: finds the verb. */
import { runVerb, type Verb } from '../verbs.ts'
import { evaluateFlags } from './flags-evaluate.ts'
import { importFlags } from './flags-import.ts'
import { listFlags } from './flags-list.ts'
import { switchOff, switchOn } from './flags-switch.ts'

const USAGE = `Usage: tenantgate flags evaluate (--policy FILE [--state FILE] | --server URL | --redis URL) [--flag F]... [--tenant T
                             [--credential ID]] [--user U] [--role R]... [--route R] [-H 'name: value']... [--at TIME] [--json]
       tenantgate flags list (--policy FILE [--state FILE] | --server URL | --redis URL) [--json]
       tenantgate flags off FLAG (--server URL | --redis URL | --state FILE) [--json]
       tenantgate flags on FLAG (--server URL | --redis URL | --state FILE) [--json]
       tenantgate flags import FILE --redis URL [--json]

evaluate says which variant of each flag somebody gets now, or at --at (2026-12-01T09:00:00Z), and from when on another, as far as
rollouts say so; --credential is the id of an API key or a certificate of the tenant, which may have the right to choose a variant.
list says how each flag stands. off sends everybody to the default, whatever the flag's rules and an override say, until on; it is
told to all instances, and FLAG may be one that no policy has yet. import puts another flag file in the place of the one in the policy
that was imported into a Redis, if the whole policy is good with it.

--server (http://127.0.0.1:9003 or unix:/path) is the address of --admin of a running service; its token is in
TENANTGATE_ADMIN_TOKEN, or in the file of --admin-token-file. --redis is redis://host:6379 and the like; its password is in
TENANTGATE_REDIS_PASSWORD, or in the file of --redis-password-file. --state is the file that services are started with. What changes
something in a Redis or a file takes --audit FILE.
`

const VERBS = { evaluate: evaluateFlags, list: listFlags, off: switchOff, on: switchOn, import: importFlags }

export const flags: Verb = (argv, io) => runVerb({ command: 'flags', usage: USAGE, verbs: VERBS }, argv, io)
