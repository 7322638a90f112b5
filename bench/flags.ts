/** CPU per evaluation inside a decision: what a flag of each kind adds to a decision that asks none. */
import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk'
import { createProviderFlags } from '../cli/service/provider-flags.ts'
import { decide } from '../core/decide.ts'
import type { Flags } from '../core/flags/evaluate.ts'
import { NOTHING_OFF } from '../core/flags/switches.ts'
import { gateOf, newKey, policyOf } from '../test/support/gate.ts'
import { type Figure, figure, measureSteps, noiseText, reference, type Step } from './measure.ts'
import { gatewayRequest } from './requests.ts'
import type { Table } from './table.ts'

const FLAG = { state: 'ENABLED', variants: { stable: 'stable', canary: 'canary' }, defaultVariant: 'stable' }
const told = (value: string) => ({ ...FLAG, variants: { light: 'light', dark: value }, defaultVariant: 'dark' })

/** All five conditions hold, so that all are looked at. */
const CONDITIONS = [
  { '==': [{ var: 'beta' }, true] },
  { in: [{ var: 'plan' }, ['pro', 'enterprise']] },
  { '==': [{ var: 'route' }, 'read'] },
  { starts_with: [{ var: 'tenant' }, 'ac'] },
  { '!=': [{ var: 'tenant' }, 'globex'] },
]

const FLAGS: Readonly<Record<string, object>> = {
  static: FLAG,
  conditions: { ...FLAG, targeting: { if: [{ and: CONDITIONS }, 'canary', 'stable'] } },
  fractional: {
    ...FLAG,
    targeting: {
      fractional: [
        ['canary', 5],
        ['stable', 95],
      ],
    },
  },
  rollout: FLAG,
  told1: told('a'),
  told2: told('b'),
  told3: told('c'),
}

const ROLLOUT = `  rollouts:
    rollout: { variant: canary, steps: [${[5, 10, 25, 100]
      .map((percent, index) => `{ from: 2026-11-0${index + 1}T09:00:00Z, percent: ${percent} }`)
      .join(', ')}] }
`
const HEADERS = [1, 2, 3].map((number) => `x-tenantgate-told-${number}: flag:told${number}`).join(', ')

interface Scene {
  /** What the route says of its upstream. */
  readonly upstream: string
  /** Whether the backend is told of three more flags. */
  readonly headers?: boolean
  readonly flags?: Flags
}

const ONE_OF = (flag: string): Scene => ({ upstream: `{ default: stable, flag: ${flag} }` })

export async function benchFlags(): Promise<Table> {
  const scenes: readonly (readonly [name: string, scene: Scene])[] = [
    ['no flag', { upstream: 'stable' }],
    ['static', ONE_OF('static')],
    ['5 conditions', ONE_OF('conditions')],
    ['fractional', ONE_OF('fractional')],
    ['rollout of 4 steps', ONE_OF('rollout')],
    ['3 flags told to the backend', { upstream: 'stable', headers: true }],
    ['a provider in memory', { ...ONE_OF('static'), flags: providerFlags() }],
  ]
  const steps: Step[] = [reference(), ...scenes.map(([name, scene]) => stepOf(name, scene))]
  const figures = await measureSteps(steps)
  const [own, without, ...others] = figures
  const added = others.map((one) => addedBy(one, without))
  const budgets = added.map((one, index) => (index < 3 ? { ...one, budget: 0.5 } : one))
  return {
    title: 'flags: CPU per decision, and what its flags add',
    reference: 'JSON.parse of 1 kB',
    figures: [...figures, ...budgets],
    notes: ['API key seen before, no limit, one route', noiseText(own)],
  }
}

function stepOf(name: string, scene: Scene): Step {
  const { key, hash } = newKey()
  const policy = policyOf(policyText(hash, scene), { 'flags.json': JSON.stringify({ flags: FLAGS }) })
  const { given } = gateOf(policy)
  const asked = { ...given, now: Date.now(), ...(scene.flags && { flags: scene.flags }) }
  const request = gatewayRequest({ 'x-api-key': key })
  return { name: `decide: ${name}`, call: () => decide(request, asked) }
}

function policyText(hash: string, { upstream, headers = false }: Scene): string {
  return `version: 1
identity: { sources: [apiKey]${headers ? `, headers: { ${HEADERS} }` : ''} }
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro, attributes: { beta: true }, apiKeys: [{ id: ci, hash: "${hash}" }] } }
upstreams: [stable, canary]
routes: [{ name: read, match: { path: "/v1/orders/{id}" }, upstream: ${upstream} }]
flags:
  file: flags.json
${ROLLOUT}`
}

/** The least a provider can cost: the SDK's own, which answers from memory. */
function providerFlags(): Flags {
  const variants = { stable: 'stable', canary: 'canary' }
  const provider = new InMemoryProvider({ static: { variants, defaultVariant: 'stable', disabled: false } })
  OpenFeature.setProvider('bench', provider)
  return createProviderFlags(OpenFeature.getClient('bench'))(NOTHING_OFF)
}

/** The difference of what both cost at their least, and in the middle. */
function addedBy({ name, least, median }: Figure, without: Figure | undefined): Figure {
  const { least: bare = 0, median: middle = 0 } = without ?? {}
  const added = figure({ name: name.replace('decide:', '  added by'), unit: 'µs', samples: [least - bare] })
  return { ...added, median: median - middle }
}
