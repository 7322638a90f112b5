/** `tenantgate keys create`: makes an API key and says what to put into the policy. It never edits a policy file. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { EXIT, type Io, wrongUse } from './io.ts'

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

function createKey(argv: string[], io: Io): number {
  let values: ReturnType<typeof parseCreate>['values']
  try {
    values = parseCreate(argv).values
  } catch (error) {
    return wrongUse(io, `keys create: ${(error as Error).message}`)
  }
  if (values.help) return say(io, USAGE)
  if (!values.tenant) return wrongUse(io, 'keys create: --tenant is missing')
  if (!/^[a-z0-9]{1,16}$/.test(values.env))
    return wrongUse(io, 'keys create: --env takes 1 to 16 lower-case letters or digits')
  const key = createApiKey(values.env, randomBytes)
  const id = values.id ?? `key-${randomBytes(4).toString('hex')}`
  const created: NewKey = { id, key, hash: storedHash(key) }
  if (values.json) return say(io, `${JSON.stringify(created)}\n`)
  return say(io, described(created, values.tenant, listOf(values.scopes), listOf(values.roles)))
}

function parseCreate(args: string[]) {
  return parseArgs({
    args,
    options: {
      tenant: { type: 'string' },
      scopes: { type: 'string', default: '' },
      roles: { type: 'string', default: '' },
      id: { type: 'string' },
      env: { type: 'string', default: 'live' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

function listOf(text: string): string[] {
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
