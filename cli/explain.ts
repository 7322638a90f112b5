/** `tenantgate explain`: why a request would be allowed or denied, stage by stage. It charges nothing: its buckets are its own. */
import { resolve } from 'node:path'
import { clientHeaders, decisionFacts } from '../core/answer.ts'
import { NO_FAILURE_LIMIT } from '../core/credentials/attempt.ts'
import { createCredentials } from '../core/credentials/authenticate.ts'
import { type CredentialRecords, NO_KEY_USES, NO_RECORDS } from '../core/credentials/records.ts'
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
import { openStateFile } from '../stores/records/state-file.ts'
import { createFetchKeys } from '../stores/remote/fetch-keys.ts'
import { createIntrospect } from '../stores/remote/introspect.ts'
import { createTokenMemory } from '../stores/token-memory.ts'
import { REQUEST_SPECS, requestOf } from './explain-request.ts'
import { badInput, EXIT, type Io, wrongUse } from './io.ts'
import { readOptions } from './options.ts'

const OPTIONS = {
  policy: { type: 'string' },
  ...REQUEST_SPECS,
  state: { type: 'string' },
  server: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const USAGE = `Usage: tenantgate explain --policy FILE --method GET --host H --path P [-H 'name: value']... [--ip A]
                          [--cert FILE.pem] [--state FILE] [--json]
       tenantgate explain --policy FILE --request FILE.json [--cert FILE.pem] [--state FILE] [--json]

Says stage by stage why the request would be allowed or denied. Nothing is charged, and limits are asked as if nobody had
used them yet. --cert is the client's certificate, as if the gateway had verified it. --state is the file of issued keys and
revocations; without it there are none. A recorded request is {"method","host","path","headers":{},"ip"}. Exit code: 0 allow, 3 deny.
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
  const records = await recordsOf(options.state)
  if (typeof records === 'string') return badInput(io, [`tenantgate: --state: ${records}`])
  const stages: Found[] = []
  const decision = await decideFresh(request, loaded.policy, records, (stage, found) => stages.push({ stage, found }))
  io.stdout.write(options.json ? `${JSON.stringify(asJson(decision, stages), null, 2)}\n` : asText(decision, stages))
  return decision.decision === 'allow' ? EXIT.ok : EXIT.deny
}

/** What the file says now; a text says why it cannot be read. */
async function recordsOf(file: string | undefined): Promise<CredentialRecords | string> {
  if (file === undefined) return NO_RECORDS
  const ignored = { onProblem() {}, onMended() {}, onLost() {}, onTorn() {} }
  const opened = await openStateFile({ path: resolve(file), now: Date.now, ...ignored })
  return opened.ok ? opened.state.records : opened.problem
}

async function decideFresh(
  request: GatewayRequest,
  policy: Policy,
  records: CredentialRecords,
  observe: (stage: Stage, found: string) => void,
): Promise<Decision> {
  return decide(request, {
    policy,
    credentials: createCredentials(policy, {
      ...createTokenMemory(),
      fetchKeys: createFetchKeys(),
      introspect: createIntrospect(),
      failures: NO_FAILURE_LIMIT,
      records,
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
