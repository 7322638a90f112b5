/** `tenantgate …`: finds the command, runs it, and turns what it answers into an exit code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../package-root.ts'
import { nearest } from '../policy/nearest.ts'
import { EXIT, type Io, wrongUse } from './io.ts'

type Command = (argv: readonly string[], io: Io) => number | Promise<number>

/** Each command is loaded when it is called, so that `keys create` does not wait for a gRPC server. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  validate: async () => (await import('./validate.ts')).validate,
  explain: async () => (await import('./explain.ts')).explain,
  keys: async () => (await import('./keys/keys.ts')).keys,
  tokens: async () => (await import('./keys/tokens.ts')).tokens,
  tenants: async () => (await import('./tenants/tenants.ts')).tenants,
  flags: async () => (await import('./flags/flags.ts')).flags,
  limits: async () => (await import('./limits/limits.ts')).limits,
  usage: async () => (await import('./usage/usage.ts')).usage,
  'kong-plugin-server': async () => (await import('./kong/kong-plugin-server.ts')).kongPluginServer,
}

const HELP = `tenantgate: one tenant policy for the gateways you already run

  tenantgate serve --policy FILE | redis://HOST [--listen unix:/path | 127.0.0.1:9001 | 0.0.0.0:9001]... [--http 127.0.0.1:9002 | off]
                   [--tls-certificate FILE --tls-key FILE --tls-client-ca FILE [--tls-client-name NAME]...]
                   [--state FILE] [--audit FILE | stdout] [--admin 127.0.0.1:9003 [--admin-token-file FILE]]
                   [--candidate FILE] [--ratelimit-config DIR] [--flag-provider FILE.mjs]
                   [--drain-timeout 10s] [--log-level debug|info|warn|error]
  tenantgate validate FILE... [--ratelimit-config DIR]
  tenantgate explain (--policy FILE | --server URL | --redis URL) --method GET --host H --path P [-H 'name: value']...
                   [--ip A] [--cert FILE.pem] [--state FILE] [--json]
  tenantgate keys create --tenant T [--scopes a,b] [--server URL | --redis URL] [--json]
  tenantgate keys rotate|revoke --tenant T --id ID (--policy FILE | --server URL | --redis URL)
  tenantgate keys list [--tenant T] (--policy FILE | --server URL | --redis URL)
  tenantgate tokens revoke (--server URL | --redis URL) (--jti ID | --subject SUB | --tenant T) [--issuer ISS] [--before TIME]
  tenantgate tenants import FILE --redis URL [--dry-run] [--json]
  tenantgate tenants set ID --redis URL [--file FILE] [--if-revision N]
  tenantgate tenants remove ID --redis URL [--if-revision N]
  tenantgate tenants show ID --redis URL
  tenantgate tenants list --redis URL
  tenantgate flags evaluate (--policy FILE | --server URL | --redis URL) [--flag F]... [--tenant T [--credential ID]] [--user U]
                   [--role R]... [--route R] [-H 'name: value']... [--at TIME]
  tenantgate flags list (--policy FILE | --server URL | --redis URL)
  tenantgate flags off|on FLAG (--server URL | --redis URL | --state FILE)
  tenantgate flags import FILE --redis URL
  tenantgate limits show --server URL --tenant T [--limit L] [--scope route:R | credential:ID] [--most 100]
  tenantgate limits reset --server URL --tenant T --limit L [--scope S] [--by user=U]... [--all]
  tenantgate limits credit --server URL --tenant T --limit L --units N [--scope S] [--by user=U]...
  tenantgate usage (--tenant T | --nobody) (--server URL | --redis URL) [--per hour|day] [--from TIME] [--until TIME]
  tenantgate kong-plugin-server --socket PATH --policy FILE | redis://HOST [--http 127.0.0.1:9002 | off] [--event-timeout 1s]
                   [--max-events 1024] [--state FILE] [--audit FILE | stdout] [--admin unix:/path [--admin-token-file FILE]]
                   [--candidate FILE] [--flag-provider FILE.mjs] [--drain-timeout 10s] [--log-level debug|info|warn|error]
  tenantgate kong-plugin-server --describe PLUGIN
  tenantgate --help | --version

Where --policy and --redis URL are a Redis: redis://host:6379, redis+sentinel://host1,host2/primary, redis+cluster://host1,host2, with
rediss for TLS; [--redis-password-file FILE] [--redis-ca FILE] [--redis-certificate FILE --redis-key FILE]; passwords also in
TENANTGATE_REDIS_PASSWORD, and of sentinels in TENANTGATE_REDIS_SENTINEL_PASSWORD. serve and kong-plugin-server take policy and
tenants from it: --policy redis://host. What changes something there takes [--audit FILE | stdout].
Each option has a twin in the environment: --drain-timeout is TENANTGATE_DRAIN_TIMEOUT.
Exit codes: 0 done (explain: allow), 1 bad input, 2 wrong use, 3 deny (explain).
`

const WITHOUT_OWN_HELP: ReadonlySet<string> = new Set(['serve', 'validate', 'kong-plugin-server'])

async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv
  if (name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(HELP)
    return EXIT.ok
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${ownVersion()}\n`)
    return EXIT.ok
  }
  const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load === undefined) {
    return wrongUse(io, name === undefined ? `which command?\n\n${HELP}` : unknownCommand(name))
  }
  if (WITHOUT_OWN_HELP.has(name ?? '') && rest.some((option) => option === '--help' || option === '-h')) {
    io.stdout.write(HELP)
    return EXIT.ok
  }
  const command = await load()
  return command(rest, io)
}

function unknownCommand(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS))
  const hint = near === undefined ? '`tenantgate --help` lists them' : `did you mean \`${near}\`?`
  return `there is no command \`${name}\`; ${hint}`
}

function ownVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version
}

/** Why this Node cannot run us; undefined when it can. */
function unfitNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12)) return undefined
  return (
    `tenantgate: this is Node ${version}, and tenantgate needs 22.12 or newer. In a checkout \`npm ci\` brings one along: ` +
    '`npx tenantgate` and `npm start` then use it.\n'
  )
}

/** What runs until it is told to stop, whether or not somebody reads its log. */
const SERVICES: ReadonlySet<string> = new Set(['serve', 'kong-plugin-server'])

const { stdout, stderr, env } = process
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // who reads has seen enough, as `| head` has
  if (error.code !== 'EPIPE') throw error
  if (!SERVICES.has(process.argv[2] ?? '')) process.exit()
})
const io: Io = { stdout, stderr, env }

const unfit = unfitNode(process.versions.node)
if (unfit !== undefined) {
  stderr.write(unfit)
  process.exitCode = EXIT.badInput
} else {
  try {
    process.exitCode = await run(process.argv.slice(2), io)
    // what is still open now, such as a fetch of an issuer's keys, is waited for by nobody
    setTimeout(() => process.exit(), 100).unref()
  } catch (error) {
    const text = error instanceof Error ? (env.TENANTGATE_DEBUG ? error.stack : error.message) : String(error)
    stderr.write(`tenantgate: ${text}\n`)
    process.exitCode = EXIT.badInput
  }
}
