/** The fuzzer: sends each case through all gateways, asks the laws, and counts what has come of it. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { backendHeaders } from '../../core/identity/headers.ts'
import { caseArbitrary } from './arbitraries.ts'
import { checkEqual, checkOutcome, must } from './laws.ts'
import type { FuzzedGateway, Outcome } from './outcome.ts'
import type { FuzzRequest } from './request.ts'
import type { World } from './world.ts'

export interface Fuzzed extends FuzzedGateway {
  /** Whether it takes away all that begins like our headers, whatever our answer names. */
  readonly strips: boolean
  /** Whether it verifies tokens by itself, and hands on their claims. */
  readonly verifies: boolean
}

export interface Campaign {
  readonly world: World
  readonly gateways: readonly Fuzzed[]
  readonly cases: number
  readonly seed: number
  /** Whether the gateways' connections are without TLS, and no token is verified by one of them. */
  readonly isPlain?: boolean
  /** Told after each case. */
  readonly onCase?: () => void
}

/** How often each gateway has come to each end: a reason, or what it answered without asking us. */
export type Counts = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Rejects with the smallest case found that breaks a law, and the seed that leads to it. */
export async function fuzz({ world, gateways, cases, seed, isPlain = false, onCase }: Campaign): Promise<Counts> {
  const counts = new Map<string, Map<string, number>>()
  const count = (gateway: string, end: string) => {
    const own = counts.get(gateway) ?? new Map<string, number>()
    counts.set(gateway, own.set(end, (own.get(end) ?? 0) + 1))
  }
  const property = fc.asyncProperty(caseArbitrary(world, isPlain), fc.nat(), async (requests, order) => {
    await checkCase(gateways, requests, count)
    const [first] = requests
    if (first && order % 8 === 0) await checkReordered(gateways, first, order)
    onCase?.()
  })
  await fc.assert(property, { numRuns: cases, seed, endOnFailure: false })
  return counts
}

type Count = (gateway: string, end: string) => void

async function checkCase(gateways: readonly Fuzzed[], requests: readonly FuzzRequest[], count: Count): Promise<void> {
  for (const { reset } of gateways) reset()
  for (const request of requests) {
    const outcomes: Outcome[] = []
    for (const gateway of gateways) {
      const outcome = await gateway.send(request)
      count(gateway.name, endOf(outcome))
      if (outcome) checkOutcome(seenBy(gateway, request), outcome, gateway.strips)
      if (outcome?.decision) outcomes.push(outcome)
    }
    const [first, ...others] = isComparable(request) ? outcomes : []
    for (const other of others) if (first) checkEqual(first, other)
    // one that has seen less than the others may answer the next one otherwise
    if (outcomes.length < gateways.length || !isComparable(request)) return
  }
}

/** Kong's guard refuses an absolute target beside another host, where Envoy takes the target's; and Kong verifies no tokens for us. */
function isComparable({ target, verified }: FuzzRequest): boolean {
  return target.startsWith('/') && verified === undefined
}

function seenBy({ verifies }: Fuzzed, { verified, ...request }: FuzzRequest): FuzzRequest {
  return verifies && verified ? { ...request, verified } : request
}

function endOf(outcome: Outcome | undefined): string {
  if (outcome?.decision) return outcome.decision.reason
  return outcome ? `answered ${outcome.status} without a decision` : 'not let in'
}

/** Neither the order of header fields nor the letter case of their names changes a decision. */
async function checkReordered(gateways: readonly Fuzzed[], request: FuzzRequest, order: number): Promise<void> {
  const other = reordered(request, order)
  for (const gateway of gateways) {
    const { reset, send, strips } = gateway
    reset()
    const first = await send(request)
    reset()
    const second = await send(other)
    if (!first?.decision || !second?.decision) continue
    checkOutcome(seenBy(gateway, other), second, strips)
    must(isDeepStrictEqual(toldOf(first), toldOf(second)), 'neither order nor letter case of header names matters')
  }
}

function toldOf({ decision }: Outcome): unknown {
  return decision?.decision === 'allow' ? backendHeaders(decision) : decision?.reason
}

/** Values of one name keep their order, which has a meaning (RFC 9110 §5.3). */
function reordered(request: FuzzRequest, order: number): FuzzRequest {
  const { fields } = request
  const ranks = new Map(fields.map(([name], at) => [name.toLowerCase(), (at * 7919 + order) % 31]))
  const rank = ([name]: readonly [string, string]) => ranks.get(name.toLowerCase()) ?? 0
  const respelt = (name: string) => (order % 16 === 0 ? name.toUpperCase() : name.toLowerCase())
  const sorted = [...fields].sort((one, two) => rank(one) - rank(two))
  return { ...request, fields: sorted.map(([name, value]) => [respelt(name), value]) }
}
