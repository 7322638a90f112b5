/** What a candidate policy costs beside the live one: CPU per decision, and how much of it comes before the answer. */
import { createCandidate } from '../cli/service/candidate/candidate.ts'
import { offering } from '../cli/service/candidate/offering.ts'
import { createGate, type Gate, type GateParts } from '../cli/service/gate.ts'
import { NOTHING_OFF } from '../core/flags/switches.ts'
import type { Policy } from '../core/policy.ts'
import type { GatewayRequest } from '../core/request.ts'
import { compilePolicy } from '../policy/compile.ts'
import { parsePolicy } from '../policy/parse.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { partsOf } from '../test/support/gate.ts'
import { measureSteps, noiseText, reference, type Step } from './measure.ts'
import { benchPolicy } from './policies.ts'
import { gatewayRequest } from './requests.ts'
import type { Table } from './table.ts'

export async function benchCandidate(): Promise<Table> {
  const { text, files, key } = await benchPolicy(10)
  const policy = policyOf(text, files)
  const tighter = policyOf(
    text.replace('scopes: [orders:read], roles: [buyer] }, up', 'scopes: [orders:all] }, up'),
    files,
  )
  const request = gatewayRequest({ 'x-api-key': key })
  const figures = await measureSteps([
    reference(),
    step('gate alone', gateOf(policy), request, 'allowed'),
    step(
      '  with a candidate, before the answer',
      offering(gateOf(policy), { offer: held() }, Date.now),
      request,
      'allowed',
    ),
    step('with a candidate that agrees', withCandidate(policy, policy, 0), request, 'allowed'),
    step('with a candidate that always differs', withCandidate(policy, tighter, 1), request, 'allowed'),
  ])
  return {
    title: 'candidate: CPU per decision',
    reference: 'JSON.parse of 1 kB',
    figures,
    notes: [noiseText(figures[0])],
  }
}

function policyOf(text: string, files: Readonly<Record<string, string>>): Policy {
  const readFile = (path: string) => ({ text: files[path.slice(1)] ?? '' })
  const parsed = parsePolicy(text, { file: '/bench.yaml', readFile, env: {} })
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '))
  return compilePolicy(parsed.parts)
}

function step(name: string, gate: Gate, request: GatewayRequest, reason: string): Step {
  const decision = gate.decide(request)
  if (decision instanceof Promise || decision.reason !== reason) throw new Error('the request is decided otherwise')
  return { name, call: () => gate.decide(request) }
}

/** What is offered waits in vain; as many as wait at a time in a service. */
function held() {
  const waiting: unknown[] = []
  return (offered: unknown) => {
    waiting.push(offered)
    if (waiting.length === AT_A_TIME) waiting.length = 0
  }
}

const AT_A_TIME = 64

/** What waits for the end of a turn is done after so many decisions. `differing` is how many of each decision differ. */
function withCandidate(live: Policy, candidatePolicy: Policy, differing: number): Gate {
  const gate = gateOf(live)
  let work: (() => void) | undefined
  let calls = 0
  const candidate = createCandidate({
    ...quiet(),
    live: gate,
    limits: createMemoryLimits(),
    metrics: { decided() {}, differs() {}, skipped() {} },
    log: { candidateDiffers() {}, fault() {} },
    later: (next) => {
      work = next
    },
  })
  candidate.replace(candidatePolicy)
  const beside = offering(gate, candidate, Date.now)
  return {
    ...beside,
    decide(request, stages) {
      const decision = beside.decide(request, stages)
      calls += 1
      if (calls % AT_A_TIME === 0) {
        work?.()
        const { compared, different } =
          calls === AT_A_TIME ? candidate.compared() : { compared: 1, different: differing }
        if (compared * differing !== different) throw new Error('the candidate decides otherwise')
      }
      return decision
    },
  }
}

function gateOf(policy: Policy): Gate {
  return createGate(policy, quiet())
}

function quiet(): GateParts {
  return {
    limits: createMemoryLimits(),
    throttle: { patienceMs: () => 0, isLate: () => false, wait: async () => {} },
    credentials: partsOf({}),
    metrics: { decided() {}, flagsAsked() {}, policyLive() {} } as GateParts['metrics'],
    log: { decisions: { allow: false, deny: false }, decided() {} },
    audit: { decided() {} },
    usage: { count() {} },
    signingKey: () => '',
    switches: NOTHING_OFF,
    now: Date.now,
    elapsed: () => performance.now(),
  }
}
