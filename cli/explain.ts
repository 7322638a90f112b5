/** `tenantgate explain`: why a request would be allowed or denied, stage by stage. Nothing is charged. */
import type { Explained } from '../core/explained.ts'
import type { GatewayRequest } from '../core/request.ts'
import { loadPolicy } from '../policy/load.ts'
import { formatProblem } from '../policy/problem.ts'
import type { AdminClient } from './admin/admin-client.ts'
import { PLACE_SPECS } from './admin/server-options.ts'
import { explainFresh } from './explain-fresh.ts'
import { REQUEST_SPECS, requestOf } from './explain-request.ts'
import { badInput, EXIT, type Io, wrongUse } from './io.ts'
import { keyPlaceOf, WHERE } from './keys/key-place.ts'
import { readOptions } from './options.ts'
import { recordedIn } from './recorded-in.ts'
import { REDIS_SPECS } from './redis-options.ts'
import { printable } from './table.ts'

const OPTIONS = {
  ...PLACE_SPECS,
  ...REDIS_SPECS,
  ...REQUEST_SPECS,
  state: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const USAGE = `Usage: tenantgate explain (--policy FILE | --server URL | --redis URL) --method GET --host H --path P [-H 'name: value']...
                          [--ip A] [--cert FILE.pem] [--state FILE] [--json]
       tenantgate explain (--policy FILE | --server URL | --redis URL) --request FILE.json [--cert FILE.pem] [--state FILE] [--json]

Says stage by stage why the request would be allowed or denied. Nothing is charged. With --policy and --redis (where policy and
tenants were imported) limits are asked as if nobody had used them yet; --server (http://127.0.0.1:9003 or unix:/path, the address
of --admin) asks a running service, by its live policy and with its limits as they stand; its token is in TENANTGATE_ADMIN_TOKEN,
or in the file of --admin-token-file. --cert is the client's certificate, as if the gateway had verified it. --state is the file of
issued keys and revocations, for --policy FILE; without it there are none, also where the policy says that they stand in a Redis.
A recorded request is {"method","host","path","headers":{},"ip"}. Exit code: 0 allow, 3 deny.
`

export async function explain(argv: readonly string[], io: Io): Promise<number> {
  const read = readOptions(OPTIONS, argv, io.env)
  if (!read.ok) return wrongUse(io, `explain: ${read.problem}`)
  const { options } = read
  if (options.help) {
    io.stdout.write(USAGE)
    return EXIT.ok
  }
  const place = keyPlaceOf(options, argv, io.env) ?? WHERE
  if (typeof place === 'string') return wrongUse(io, `explain: ${place}`)
  const request = requestOf(options)
  if (typeof request === 'string') return wrongUse(io, `explain: ${request}`)

  const tell = (told: Explained, buckets: string) => {
    io.stdout.write(options.json ? `${JSON.stringify(told, null, 2)}\n` : asText(told, buckets))
    return told.decision === 'allow' ? EXIT.ok : EXIT.deny
  }
  if (place.kind !== 'policy' && argv.some((part) => /^--state(?:=|$)/.test(part)))
    return wrongUse(io, 'explain: --state is for --policy FILE; a service and a Redis have their own')
  if (place.kind === 'redis') {
    const { explainInRedis } = await import('./explain-in-redis.ts')
    const told = await explainInRedis(request, place.place, io.env)
    return 'decision' in told
      ? tell(told, 'fresh buckets')
      : badInput(
          io,
          told.map((line) => `tenantgate: explain: ${line}`),
        )
  }
  if (place.kind === 'server') {
    const told = await explainAtServer(place.client, request)
    return typeof told === 'string' ? badInput(io, [`tenantgate: explain: ${told}`]) : tell(told, 'live')
  }
  const loaded = loadPolicy(place.file, io.env)
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.stderr.write(`${formatProblem(problem)}\n`)
    return EXIT.badInput
  }
  const recorded = await recordedIn(options.state)
  if (typeof recorded === 'string') return badInput(io, [`tenantgate: --state: ${recorded}`])
  return tell(await explainFresh(request, loaded.policy, recorded), 'fresh buckets')
}

/** By the live policy, with the state of its limits; a text says why there is no answer. */
async function explainAtServer(client: AdminClient, request: GatewayRequest): Promise<Explained | string> {
  const { method, host, path, headers, clientAddress: ip, clientCertificate: certificate } = request
  const answer = await client.ask('POST', '/v1/explain', { method, host, path, headers, ip, certificate })
  if (!answer.ok) return answer.problem
  return isExplained(answer.body) ? answer.body : 'the answer explains nothing; is the service of another version?'
}

function isExplained(body: object): body is Explained {
  const { decision, stages, toBackend, toClient } = body as Partial<Explained>
  const isHeaders = (value: unknown) => typeof value === 'object' && value !== null
  return (
    (decision === 'allow' || decision === 'deny') && Array.isArray(stages) && [toBackend, toClient].every(isHeaders)
  )
}

function asText({ decision, stages, toBackend, toClient }: Explained, buckets: string): string {
  const headers = (to: string, of: Explained['toClient']) =>
    Object.entries(of).map(([name, value]) => `${to.padEnd(12)} ${name}: ${printable(value)}`)
  const lines = [
    ...stages.map(
      ({ stage, found }) => `${stage.padEnd(12)} ${printable(found)}${stage === 'limits' ? ` [${buckets}]` : ''}`,
    ),
    ...(decision === 'allow' ? headers('to backend', toBackend) : []),
    ...headers('to client', toClient),
  ]
  return `${lines.join('\n')}\n`
}
