/** `tenantgate keys …`: finds the verb. None of them ever edits a policy file. */
import { runVerb, type Verb } from '../verbs.ts'
import { createKey } from './keys-create.ts'
import { listKeys } from './keys-list.ts'
import { revokeKey } from './keys-revoke.ts'
import { rotateKey } from './keys-rotate.ts'

const USAGE = `Usage: tenantgate keys create --tenant TENANT [--scopes a,b] [--roles a,b] [--id ID] [--env live]
                              [--not-before TIME] [--expires-at TIME] [--server URL | --redis URL] [--json]
       tenantgate keys rotate --tenant TENANT --id ID [--overlap 24h] [--expires-at TIME] WHERE
                              [--again] [--json]
       tenantgate keys revoke --tenant TENANT --id ID WHERE [--json]
       tenantgate keys list [--tenant TENANT] WHERE [--json]

WHERE is --policy FILE, --server URL or --redis URL.

A key is printed once, and stored nowhere. With --server (http://127.0.0.1:9003 or unix:/path, the address of --admin) a running
service does it at once; its token is in TENANTGATE_ADMIN_TOKEN, or in the file of --admin-token-file. With --redis (redis://…,
redis+sentinel://… or redis+cluster://…, the password in TENANTGATE_REDIS_PASSWORD or in the file of --redis-password-file) it is
done for all services of that Redis at once, and --audit FILE is told. Else what to change in the policy is printed, with line
numbers.
`

const VERBS = {
  create: createKey,
  rotate: rotateKey,
  revoke: revokeKey,
  list: listKeys,
}

export const keys: Verb = (argv, io) => runVerb({ command: 'keys', usage: USAGE, verbs: VERBS }, argv, io)
