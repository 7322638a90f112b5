/** A candidate whose flags a provider evaluates: what it asks costs no live request its variant, and is never more than it may be. */
import { expect, it } from 'vitest'
import { openFlagProvider } from '../../../../cli/service/flag-provider.ts'
import { createProviderFlags } from '../../../../cli/service/provider-flags.ts'
import { NOTHING_OFF } from '../../../../core/flags/switches.ts'
import { createLog } from '../../../../telemetry/log.ts'
import { createMetrics } from '../../../../telemetry/metrics.ts'
import { mood } from '../../../fixtures/flag-providers/moody.mjs'
import { NOON, policyOf, requestOf } from '../../../support/gate.ts'
import { sideBySide } from '../../../support/side-by-side.ts'

const never = () => new Promise<never>(() => {})

const policyTelling = (count: number) => {
  const headers = Array.from({ length: count }, (_, index) => `x-tenantgate-f${index}: flag:f${index}`)
  return policyOf(`
version: 1
identity: { headers: { ${headers.join(', ')} } }
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro } }
upstreams: [stable, canary]
routes: [{ name: all, match: { path: /** }, anonymous: true, upstream: { default: stable, flag: backend } }]
flags: { provider: true }
`)
}

it('evaluations of the candidate are counted apart from those of the live policy', async () => {
  const file = new URL('../../../fixtures/flag-providers/moody.mjs', import.meta.url).pathname
  const log = createLog('error', { write() {} })
  const opened = await openFlagProvider(file, { log, metrics: createMetrics(() => NOON), elapsed: () => 0 })
  if (!opened.ok) throw new Error(opened.problem)
  const [live, apart] = [opened.provider.flags(NOTHING_OFF), opened.provider.apart()(NOTHING_OFF)]
  mood.resolve = never
  for (let i = 0; i < 1000; i += 1) void apart.evaluate('f', 'stable', {})
  mood.resolve = async () => ({ value: 'canary' }) as never
  expect(await apart.evaluate('f', 'stable', {})).toMatchObject({ value: 'stable', reason: 'ERROR' })
  expect(await live.evaluate('f', 'stable', {})).toMatchObject({ value: 'canary' })
  await opened.provider.close()
})

it('no more decisions are under way than a provider answers at a time: others are skipped, and are no difference', async () => {
  const flags = createProviderFlags({ getStringDetails: never, getObjectDetails: never } as never)
  const live = policyOf(`
version: 1
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro } }
upstreams: [stable, canary]
routes: [{ name: all, match: { path: /** }, anonymous: true, upstream: stable }]
`)
  const parts = { flagProvider: { flags }, elapsed: () => 0 }
  const { gate, catchUp, candidate, examples } = sideBySide(live, policyTelling(19), { now: NOON }, { parts })
  for (let i = 0; i < 60; i += 1) await gate.decide(requestOf({}))
  await catchUp()
  expect(candidate.compared()).toMatchObject({ compared: 0, skipped: { busy: 10 } })
  expect(examples).toEqual([])
})
