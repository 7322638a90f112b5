/** A candidate beside a live policy whose stages are asked one by one, as Kong's plugins do. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../../core/decision.ts'
import type { GatewayRequest } from '../../../../core/request.ts'
import { NOON, policyOf } from '../../../support/gate.ts'
import { aloneWith, type Clock, sideBySide } from '../../../support/side-by-side.ts'
import { each, get, globex, LIVE, policy, TIGHTER, table } from './two-policies.ts'

describe('stages that are asked one by one', () => {
  const STAGES = [
    { permission: true, limits: false, flags: false },
    { permission: false, limits: true, flags: false },
    { permission: false, limits: false, flags: true },
  ]

  /** As Kong does: no stage follows a refusal. */
  async function staged(
    ask: ReturnType<typeof sideBySide>['gate']['decide'],
    requests: readonly GatewayRequest[],
    clock: Clock,
    done: () => Promise<void> = async () => {},
  ): Promise<readonly Decision[]> {
    return each(requests, clock, async (request) => {
      let last: Decision | undefined
      for (const stages of STAGES) {
        last = await ask(request, { ...stages, of: request.id })
        await done()
        if (last.decision === 'deny') break
      }
      return last
    })
  }

  it('differ once for each request, and charge as they would if the candidate were live', async () => {
    const requests = table()
    const clock = { now: NOON }
    const beside = sideBySide(LIVE, TIGHTER, clock)
    const live = await staged(beside.gate.decide, requests, clock, beside.catchUp)
    const thenAt = { now: NOON }
    const then = await staged(aloneWith(TIGHTER, thenAt).gate.decide, requests, thenAt)
    const changed = requests.flatMap(({ id }, i) =>
      live[i]?.reason === then[i]?.reason ? [] : [[id, then[i]?.reason]],
    )
    expect(beside.examples.map(({ requestId, candidate }) => [requestId, candidate.reason])).toEqual(changed)
    expect(changed.length).toBeGreaterThan(50)
  })

  it('tell once of what differs at each of them', async () => {
    const moved = policyOf(`
version: 1
plans: { pro: { limits: [{ name: daily, quota: 5/day }] } }
tenants: { initech: { plan: pro, apiKeys: [{ id: globex, hash: "${globex.hash}", scopes: [orders:read] }] } }
upstreams: [stable]
routes: [{ name: read, match: { path: /orders/** }, upstream: { default: stable } }]
`)
    const { gate, catchUp, examples } = sideBySide(LIVE, moved)
    for (const id of ['k-1', 'k-2']) {
      for (const stages of STAGES) await gate.decide(get(globex.key, { id }), { ...stages, of: id })
    }
    await catchUp()
    const told = examples.map(({ requestId, differences }) => [requestId, differences.map(({ kind }) => kind)])
    expect(told).toEqual([
      ['k-1', ['tenant', 'headers']],
      ['k-2', ['tenant', 'headers']],
    ])
  })

  it('of one request are compared in their order, also where an earlier one waits', async () => {
    let answer: (value: unknown) => void = () => {}
    const slow = policy({ write: 'orders:admin' })
    const directory = {
      ...slow.directory,
      apiKeyByHash: (hash: string) =>
        new Promise<never>((resolve) => {
          answer = () => resolve(slow.directory.apiKeyByHash(hash) as never)
        }),
    }
    const { gate, catchUp, examples } = sideBySide(LIVE, { ...slow, directory })
    const request = get(globex.key, { method: 'POST', id: 'k-1' })
    for (const stages of STAGES)
      expect(await gate.decide(request, { ...stages, of: 'k-1' })).toMatchObject({ reason: 'allowed' })
    await catchUp()
    answer(undefined)
    await catchUp()
    expect(examples.map(({ candidate }) => candidate.reason)).toEqual(['insufficient_scope'])
  })
})
