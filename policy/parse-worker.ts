/** Runs in a worker thread: reads and parses a policy, then hands it over in pieces, each when it is asked for. */
import { parentPort, workerData } from 'node:worker_threads'
import { type PolicyBundle, readBundle } from './bundle.ts'
import { type KnownPolicy, type ReadPolicy, readPolicy } from './load.ts'
import type { Environment } from './outside.ts'
import type { PolicyHead, TenantEntry } from './parts.ts'
import type { Problem } from './problem.ts'

export interface ParseOrder {
  readonly file: string
  readonly env: Environment
  readonly known: KnownPolicy | undefined
  /** What is parsed instead of the file, which is only its name then. */
  readonly bundle?: PolicyBundle
}

/**
 * The first message is one of `outcome` and `head`; `tenants` follow a `head`, one for each message sent to the worker.
 */
export type FromWorker =
  | { readonly kind: 'outcome'; readonly outcome: Exclude<ReadPolicy, { kind: 'parsed' }> }
  | {
      readonly kind: 'head'
      readonly head: PolicyHead
      readonly stamps: ReadPolicy['stamps']
      readonly notes: readonly Problem[]
    }
  | { readonly kind: 'tenants'; readonly entries: readonly TenantEntry[]; readonly isLast: boolean }

/** Objects in one piece: what the serving thread takes over without a noticeable pause. */
const PIECE = 200

const port = parentPort
if (!port) throw new Error('this file runs in a worker thread')
const { file, env, known, bundle }: ParseOrder = workerData

// The YAML parser asks for a setting of its own with every token, and the real environment is slow to ask: without it a
// large policy is parsed in three quarters of the time. The environment that a policy may name comes with the order.
Object.defineProperty(process, 'env', { value: {} })

const send = (message: FromWorker) => port.postMessage(message)

const read = bundle ? readBundle(bundle, env) : readPolicy(file, env, known)
if (read.kind === 'parsed') {
  const { head, tenants } = read.parts
  const pieces = piecesOf(tenants)
  let next = 0
  port.on('message', () => {
    send({ kind: 'tenants', entries: pieces[next] ?? [], isLast: next >= pieces.length - 1 })
    next += 1
    if (next >= pieces.length) port.close()
  })
  send({ kind: 'head', head, stamps: read.stamps, notes: read.notes })
} else {
  send({ kind: 'outcome', outcome: read })
}

function piecesOf(tenants: readonly TenantEntry[]): TenantEntry[][] {
  const pieces: TenantEntry[][] = []
  let room = 0
  for (const entry of tenants) {
    const { hosts, apiKeys, certificates, tenant } = entry
    const credentials = apiKeys.length + certificates.length
    const weight = 1 + tenant.aliases.length + hosts.length + credentials + (tenant.limits?.length ?? 0)
    if (room <= 0) {
      pieces.push([])
      room = PIECE
    }
    pieces.at(-1)?.push(entry)
    room -= weight
  }
  return pieces
}
