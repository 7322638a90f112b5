/** `tenantgate explain`: why a request would be allowed or denied, stage by stage. It charges nothing: its buckets are its own. */
import { readFileSync } from 'node:fs'
import { clientHeaders, decisionFacts } from '../core/answer.ts'
import { NO_FAILURE_LIMIT } from '../core/credentials/attempt.ts'
import { createCredentials } from '../core/credentials/authenticate.ts'
import { NO_KEY_USES, NO_RECORDS } from '../core/credentials/records.ts'
import { decide } from '../core/decide.ts'
import { DENIALS, type Decision } from '../core/decision.ts'
import type { Stage } from '../core/explain.ts'
import { createFlags } from '../core/flags/evaluate.ts'
import { backendHeaders } from '../core/identity/headers.ts'
import type { IdentityTokens } from '../core/identity/token.ts'
import type { Policy } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { loadPolicy } from '../policy/load.ts'
import { formatProblem } from '../policy/problem.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { createFetchKeys } from '../stores/remote/fetch-keys.ts'
import { createIntrospect } from '../stores/remote/introspect.ts'
import { createTokenMemory } from '../stores/token-memory.ts'
import { EXIT, type Io, wrongUse } from './io.ts'
import { type Options, readOptions } from './options.ts'

const OPTIONS = {
  policy: { type: 'string' },
  method: { type: 'string' },
  host: { type: 'string' },
  path: { type: 'string' },
  header: { type: 'string', multiple: true, short: 'H' },
  ip: { type: 'string' },
  request: { type: 'string' },
  server: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const USAGE = `Usage: tenantgate explain --policy FILE --method GET --host H --path P [-H 'name: value']... [--ip A] [--json]
       tenantgate explain --policy FILE --request FILE.json [--json]

Says stage by stage why the request would be allowed or denied. Nothing is charged, and limits are asked as if nobody had
used them yet. A recorded request is {"method","host","path","headers":{},"ip"}. Exit code: 0 allow, 3 deny.
`

interface Found {
  readonly stage: Stage
  readonly found: string
}

export async function explain(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(OPTIONS, argv, io.env)
  if (!read.ok) return wrongUse(io, `explain: ${read.problem}`)
  const { options } = read
  if (options.help) {
    io.stdout.write(USAGE)
    return EXIT.ok
  }
  if (options.server) return wrongUse(io, 'explain: --server is not supported yet; --policy FILE asks a policy file')
  if (!options.policy) return wrongUse(io, 'explain: --policy is missing')
  const request = requestOf(options)
  if (typeof request === 'string') return wrongUse(io, `explain: ${request}`)

  const loaded = loadPolicy(options.policy, io.env)
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.stderr.write(`${formatProblem(problem)}\n`)
    return EXIT.badInput
  }
  const stages: Found[] = []
  const decision = await decideFresh(request, loaded.policy, (stage, found) => stages.push({ stage, found }))
  io.stdout.write(options.json ? `${JSON.stringify(asJson(decision, stages), null, 2)}\n` : asText(decision, stages))
  return decision.decision === 'allow' ? EXIT.ok : EXIT.deny
}

async function decideFresh(
  request: GatewayRequest,
  policy: Policy,
  observe: (stage: Stage, found: string) => void,
): Promise<Decision> {
  return decide(request, {
    policy,
    credentials: createCredentials(policy, {
      ...createTokenMemory(),
      fetchKeys: createFetchKeys(),
      introspect: createIntrospect(),
      failures: NO_FAILURE_LIMIT,
      records: NO_RECORDS,
      uses: NO_KEY_USES,
    }),
    limits: createMemoryLimits(),
    flags: createFlags(policy.flags),
    identityTokens: policy.identity.token && UNSIGNED,
    now: Date.now(),
    explain: observe,
  })
}

/** Nobody is to be let in by what is printed here. */
const UNSIGNED: IdentityTokens = {
  of: () => '(a signed token)',
  publicKeys: async () => ({ keys: [] }),
}

/** The request of the options, or of a recorded file that options override; a text says what is wrong. */
function requestOf(options: Options<typeof OPTIONS>): GatewayRequest | string {
  const recorded = options.request === undefined ? {} : recordedRequest(options.request)
  if (typeof recorded === 'string') return recorded
  const { method = recorded.method ?? 'GET', host = recorded.host, path = recorded.path } = options
  if (host === undefined) return '--host is missing'
  if (path === undefined) return '--path is missing'
  const headers: Record<string, string> = Object.create(null)
  const lines = [...Object.entries(recorded.headers ?? {}), ...(options.header ?? []).map(splitHeader)]
  for (const [name, value] of lines) {
    if (name === '') return "a header is written -H 'name: value'"
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]},${value}`
  }
  return { id: 'explain', method, host, path, headers, clientAddress: options.ip ?? recorded.ip ?? '127.0.0.1' }
}

function splitHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return colon < 1 ? ['', ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

interface Recorded {
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly ip?: string
}

function recordedRequest(file: string): Recorded | string {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return `--request ${file}: ${error instanceof SyntaxError ? 'not JSON' : (error as Error).message}`
  }
  return isRecorded(value) ? value : `--request ${file}: expected {"method","host","path","headers":{},"ip"}, all texts`
}

function isRecorded(value: unknown): value is Recorded {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { headers = {}, ...texts } = value as Record<string, unknown>
  const known = ['method', 'host', 'path', 'ip']
  const isText = (entry: unknown) => typeof entry === 'string'
  if (typeof headers !== 'object' || headers === null || !Object.values(headers).every(isText)) return false
  return Object.entries(texts).every(([name, entry]) => known.includes(name) && isText(entry))
}

function statusOf(decision: Decision): number {
  return decision.decision === 'allow' ? 200 : DENIALS[decision.reason].status
}

function asJson(decision: Decision, stages: readonly Found[]) {
  return {
    ...decisionFacts(decision),
    status: statusOf(decision),
    ...(decision.decision === 'deny' && { because: decision.because }),
    ...(decision.shadow && { shadow: decision.shadow }),
    stages,
    limits: 'fresh: as if nobody had used them yet',
    toBackend: decision.decision === 'allow' ? Object.fromEntries(backendHeaders(decision)) : {},
    toClient: Object.fromEntries(clientHeaders(decision)),
  }
}

function asText(decision: Decision, stages: readonly Found[]): string {
  const lines = stages.map(
    ({ stage, found }) => `${stage.padEnd(12)} ${found}${stage === 'limits' ? ' [fresh buckets]' : ''}`,
  )
  if (decision.decision === 'allow') {
    lines.push(...backendHeaders(decision).map(([name, value]) => `${'to backend'.padEnd(12)} ${name}: ${value}`))
  }
  lines.push(...clientHeaders(decision).map(([name, value]) => `${'to client'.padEnd(12)} ${name}: ${value}`))
  return `${lines.join('\n')}\n`
}
