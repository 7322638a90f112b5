/** How evenly a limit with a delay lets requests through: the gaps between admitted answers, as a client over gRPC sees them. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { loadAuthorization } from '../ext-authz/service.ts'
import { type Caller, openCaller } from './caller.ts'
import { type Figure, figure, quantile } from './measure.ts'
import { temporaryFolder } from './policies.ts'
import { checkMessage } from './requests.ts'
import { startServe } from './server-process.ts'
import type { Table } from './table.ts'

const IDEAL_MS = 50
const LIMIT = `{ name: paced, rate: ${1000 / IDEAL_MS}/s, burst: 1, delay: 500ms }`
const ROUNDS = 8
const STEADY_PER_ROUND = 60
const STEADY_EVERY_MS = 30
const AT_ONCE = 15
/** Until the bucket is full again, whatever was asked before. */
const REST_MS = 700

/** Asks in some manner; resolves when all is answered. */
type Ask = (call: () => Promise<void>) => Promise<unknown>

const MANNERS: Readonly<Record<string, Ask>> = {
  [`${AT_ONCE} at once`]: (call) => Promise.all(Array.from({ length: AT_ONCE }, call)),
  [`one every ${STEADY_EVERY_MS} ms`]: async (call) => {
    const calls: Promise<void>[] = []
    for (let i = 0; i < STEADY_PER_ROUND; i++) {
      calls.push(call())
      await setTimeout(STEADY_EVERY_MS)
    }
    await Promise.all(calls)
  },
}

export async function benchThrottle(): Promise<Table> {
  const folder = temporaryFolder()
  const key = createApiKey('bench', randomBytes)
  const policy = `version: 1
plans: { paced: { limits: [${LIMIT}] } }
tenants: { acme: { plan: paced, apiKeys: [{ id: ci, hash: "${storedHash(key)}" }] } }
routes: [{ name: read, match: { path: /v1/orders/** } }]
`
  const serve = await startServe(folder.write('policy.yaml', policy), join(folder.path, 'serve.sock'))
  const caller = openCaller(serve.socket)
  const message = checkMessage({ 'x-api-key': key })
  const figures: Figure[] = []
  const notes = [`${LIMIT}; ideal: ${IDEAL_MS} ms; ${ROUNDS} rounds each; times are taken where the answer arrives`]
  try {
    for (const [name, ask] of Object.entries(MANNERS)) {
      const gaps: number[] = []
      const tails: number[] = []
      const counts = { admitted: 0, refused: 0 }
      for (let round = 0; round < ROUNDS; round++) {
        const ofRound = await gapsOf(ask, caller, message, counts)
        gaps.push(...ofRound)
        tails.push(quantile(ofRound, 0.95))
        await setTimeout(REST_MS)
      }
      figures.push(figure({ name: `gap, ${name}`, unit: 'ms', samples: gaps }))
      figures.push(figure({ name: '  p95 of a round', unit: 'ms', samples: tails }))
      notes.push(`${name}: ${counts.admitted} admitted, ${counts.refused} refused, p95 of all gaps ${tail(gaps)}`)
    }
  } finally {
    caller.close()
    await serve.stop()
    folder.remove()
  }
  return { title: 'throttle: gaps between requests that a limit with a delay lets through', figures, notes }
}

const tail = (gaps: readonly number[]) => `${quantile(gaps, 0.95).toFixed(1)} ms`

/** ms between one admitted answer and the next. */
async function gapsOf(
  ask: Ask,
  caller: Caller,
  message: Buffer,
  counts: { admitted: number; refused: number },
): Promise<number[]> {
  const { responseDeserialize } = loadAuthorization().Check
  const admittedAt: number[] = []
  await ask(async () => {
    const answer = await caller.call(message)
    const now = performance.now()
    const isAdmitted = (responseDeserialize(answer).status?.code ?? 0) === 0
    counts[isAdmitted ? 'admitted' : 'refused'] += 1
    if (isAdmitted) admittedAt.push(now)
  })
  return admittedAt.slice(1).map((at, index) => at - (admittedAt[index] ?? at))
}
