/** `tenantgate keys create`: makes an API key and says what to put into the policy. It never edits a policy file. */
import { randomBytes } from 'node:crypto'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { NAME, ROLE, SCOPE, TENANT_ID } from '../core/names.ts'
import { EXIT, type Io, wrongUse } from './io.ts'
import { readOptions } from './options.ts'

const USAGE = `Usage: tenantgate keys create --tenant TENANT [--scopes a,b] [--roles a,b] [--id ID] [--env live] [--json]

Makes an API key and prints it once, with the entry for the policy. The key itself is stored nowhere.
`

export async function keys(argv: readonly string[], io: Io): Promise<number> {
  const [verb, ...rest] = argv
  if (verb === '--help' || verb === '-h') return say(io, USAGE)
  if (verb === 'rotate' || verb === 'revoke' || verb === 'list') {
    return wrongUse(io, `keys ${verb}: not supported yet; edit the policy: entries in a tenant's apiKeys`)
  }
  if (verb !== 'create') return wrongUse(io, `keys: expected 'create', got '${verb ?? ''}'\n\n${USAGE}`)
  return createKey(rest, io)
}

interface NewKey {
  readonly id: string
  readonly key: string
  readonly hash: string
}

const OPTIONS = {
  tenant: { type: 'string' },
  scopes: { type: 'string' },
  roles: { type: 'string' },
  id: { type: 'string' },
  env: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function createKey(argv: readonly string[], io: Io): number {
  const read = readOptions(OPTIONS, argv, io.env)
  if (!read.ok) return wrongUse(io, `keys create: ${read.problem}`)
  if (read.options.help) return say(io, USAGE)
  const { tenant, id = `key-${randomBytes(4).toString('hex')}`, env = 'live' } = read.options
  const [scopes, roles] = [listOf(read.options.scopes), listOf(read.options.roles)]
  if (tenant === undefined) return wrongUse(io, 'keys create: --tenant is missing')
  const unfit = unfitOption({ tenant, id, env, scopes, roles })
  if (unfit !== undefined) return wrongUse(io, `keys create: ${unfit}`)
  const key = createApiKey(env, randomBytes)
  const created: NewKey = { id, key, hash: storedHash(key) }
  return say(io, read.options.json ? `${JSON.stringify(created)}\n` : described(created, tenant, scopes, roles))
}

interface Wanted {
  readonly tenant: string
  readonly id: string
  readonly env: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

/** What the policy would refuse in the entry that we print. */
function unfitOption({ tenant, id, env, scopes, roles }: Wanted): string | undefined {
  if (!TENANT_ID.test(tenant)) return `--tenant '${tenant}' is not a tenant id`
  if (!NAME.test(id)) return `--id '${id}' is not a name of letters, digits, dots, - and _`
  if (!/^[a-z0-9]{1,16}$/.test(env)) return '--env takes 1 to 16 lower-case letters or digits'
  const scopeFault = scopes.find((entry) => !SCOPE.test(entry))
  if (scopeFault !== undefined) return `--scopes: '${scopeFault}' is not a scope`
  const roleFault = roles.find((entry) => !ROLE.test(entry))
  return roleFault === undefined ? undefined : `--roles: '${roleFault}' is not a role`
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function described({ id, key, hash }: NewKey, tenant: string, scopes: string[], roles: string[]): string {
  const rights = [`scopes: ${JSON.stringify(scopes)}`, ...(roles.length > 0 ? [`roles: ${JSON.stringify(roles)}`] : [])]
  return `key   ${key}
      shown this once: hand it to the client now

Add to the policy, under tenants.${tenant}.apiKeys:

    - { id: ${id}, hash: "${hash}", ${rights.join(', ')} }
`
}

function say(io: Io, text: string): number {
  io.stdout.write(text)
  return EXIT.ok
}
