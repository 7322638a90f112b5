/** The domain `tenantgate`: hits of another unit than requests, and hits below 0, which give back. */
import { describe, expect, it } from 'vitest'
import { InvalidHits } from '../../../core/descriptors/descriptor.ts'
import { gateOf } from '../../support/gate.ts'
import { ACME, answer, codes, descriptorOf, domain, key, policyFor, policyText } from './asked-domain.ts'

describe('another unit', () => {
  const text = policyText('{ name: bytes, quota: 1000/day, unit: content-bytes }, { name: daily, quota: 9/day }')
  const BYTES = { ...ACME, unit: 'content-bytes' }

  it('is counted whatever is left, and is over its limit when nothing was left before', () => {
    const d = domain(text)
    expect(d.with(600, BYTES)).toMatchObject({ code: 'ok', statuses: [{ limit: { name: 'bytes' }, remaining: 400 }] })
    expect(d.with(600, BYTES)).toMatchObject({ code: 'ok', statuses: [{ remaining: 0 }] })
    expect(d.with(1, BYTES).code).toBe('over_limit')
    expect(d.ask(ACME).statuses[0]).toMatchObject({ limit: { name: 'daily' }, remaining: 8 })
  })

  it.each([
    ['of a plan that no tenant has', 'plans: { other: { limits: [LIMIT] }, plan: {', 'plans: { plan: {'],
    ['of a tenant', '  globex: { limits: [LIMIT],', '  globex: {'],
    ['of a credential', 'rate: 7/s }, LIMIT]', 'rate: 7/s }]'],
    ['of a route', 'rate: 9/s, by: [user] }, LIMIT]', 'rate: 9/s, by: [user] }]'],
  ])('%s is one that a descriptor may tell', (_, written, place) => {
    const plain = policyText('')
    expect(() => domain(plain).with(1, BYTES)).toThrow(InvalidHits)
    const limit = '{ name: b, quota: 1/day, unit: content-bytes }'
    expect(domain(plain.replace(place, written.replace('LIMIT', limit))).with(1, BYTES).code).toBe('ok')
  })

  it('that is used up stops no request of the same call: it tells what has been, the request what is to come', () => {
    const d = domain(text)
    d.with(1000, BYTES)
    expect(codes(d.ask(ACME, BYTES))).toEqual(['ok', 'over_limit'])
    expect(d.with(0, ACME).statuses[0]?.remaining).toBe(8)
  })

  it('that is used up refuses the next Check', async () => {
    const gate = gateOf(policyFor(text))
    const check = () => gate.ask({ path: '/', headers: { 'x-api-key': key.key } })
    const report = { ...descriptorOf(BYTES), hits: 1000 }
    expect(await check()).toMatchObject({ decision: 'allow' })
    answer(text, gate.given.limits, [report])
    expect(await check()).toMatchObject({ decision: 'deny', reason: 'quota_exceeded' })
    answer(text, gate.given.limits, [{ ...report, hits: -1 }])
    expect(await check()).toMatchObject({ decision: 'allow' })
  })

  it('of two descriptors is counted for both', () => {
    const d = domain(text)
    expect(
      d
        .with(100, BYTES, BYTES)
        .statuses.map(({ remaining }) => remaining)
        .sort(),
    ).toEqual([800, 800])
  })
})

describe('hits below 0', () => {
  it('give back what was taken, and never more', () => {
    const d = domain(policyText('{ name: daily, quota: 10/day }'))
    d.with(4, ACME)
    expect(d.with(-3, ACME)).toMatchObject({ code: 'ok', statuses: [{ remaining: 9 }] })
    expect(d.with(-30, ACME).statuses[0]?.remaining).toBe(10)
  })

  it('give back to a bucket once, however many descriptors lead to it, as the request took from it once', () => {
    const d = domain(policyText('{ name: daily, quota: 10/day }, { name: each, quota: 10/day, by: [user] }'))
    const both = [ACME, { ...ACME, user: 'u1' }]
    for (let i = 0; i < 6; i += 1) d.ask(...both)
    expect(d.with(-1, ...both).statuses.map(({ remaining }) => remaining)).toEqual([5, 5])
    const limits = ['daily', 'each'].map((limit) => ({ ...ACME, user: 'u1', limit }))
    expect(d.with(0, ...limits).statuses.map(({ remaining }) => remaining)).toEqual([5, 5])
  })

  it('of several numbers give back the greatest', () => {
    const d = domain(policyText('{ name: daily, quota: 10/day }'))
    d.with(8, ACME)
    const { limits } = d
    const refund = (hits: number) => ({ ...descriptorOf(ACME), hits })
    answer(policyText('{ name: daily, quota: 10/day }'), limits, [refund(-2), refund(-5), refund(-1)])
    expect(d.with(0, ACME).statuses[0]?.remaining).toBe(7)
  })

  it('give nothing back to a rate, which fills up by itself: no failing backend is asked without bound', () => {
    const d = domain(policyText('{ name: burst, rate: 5/s, burst: 5 }, { name: heavy, rate: 9/s, weighted: true }'))
    for (let left = 4; left >= 0; left -= 1) {
      expect(d.ask(ACME)).toMatchObject({ code: 'ok', statuses: [{ remaining: left }] })
      expect(d.with(-1, ACME)).toMatchObject({ code: 'ok', statuses: [{ remaining: left }] })
    }
    expect(d.ask(ACME).code).toBe('over_limit')
  })

  it('are never over a limit', () => {
    const d = domain(policyText('{ name: daily, quota: 1/day }'))
    d.ask(ACME)
    expect(d.with(-1, ACME).code).toBe('ok')
    expect(d.ask(ACME).code).toBe('ok')
  })

  it('and huge ones leave numbers that can be told', () => {
    const d = domain(policyText('{ name: daily, quota: 10/day }, { name: b, quota: 10/day, unit: content-bytes }'))
    const bytes = { ...ACME, unit: 'content-bytes' }
    expect(d.with(2 ** 64, ACME).code).toBe('over_limit')
    expect(d.with(2 ** 64, bytes).statuses[0]?.remaining).toBe(0)
    expect(d.with(-(2 ** 64), bytes).statuses[0]?.remaining).toBe(10)
    expect(d.ask(ACME).statuses[0]?.remaining).toBe(9)
  })
})
