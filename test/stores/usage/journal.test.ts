/** What is counted is written once, whatever becomes of questions and answers, and never more is kept than the bounds allow. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reason } from '../../../core/decision.ts'
import { OTHERS, type Use } from '../../../core/usage.ts'
import { createJournal } from '../../../stores/usage/journal.ts'
import { createKeptUsage } from '../../../stores/usage/kept-usage.ts'
import { createMemoryKeeper } from '../../../stores/usage/memory-keeper.ts'
import { NOON, newKey } from '../../support/gate.ts'
import { breakableKeeper, type Trouble } from './keeper.ts'

const HOUR = 3_600_000
const use = (more: Partial<Use> = {}): Use => ({
  tenant: 'acme',
  credential: 'ci',
  route: 'orders',
  outcome: 'allowed',
  ...more,
})
const all = { tenant: 'acme', per: 'hour', from: 0, until: NOON * 2 } as const
const sumOf = (lines: readonly { readonly count: number }[]) => lines.reduce((sum, { count }) => sum + count, 0)

describe('counting', () => {
  it('tells credential, route and outcome apart, by hour and by day', async () => {
    const journal = createJournal(createMemoryKeeper(), () => NOON)
    journal.count(use(), NOON)
    journal.count(use(), NOON + HOUR - 1)
    journal.count(use({ outcome: 'quota_exceeded' }), NOON)
    journal.count(use({ route: 'health', credential: '' }), NOON)
    journal.count(use(), NOON + HOUR)
    journal.count(use({ tenant: 'globex' }), NOON)
    const line = { tenant: 'acme', credential: 'ci', route: 'orders', outcome: 'allowed', from: NOON, count: 2 }
    expect(await journal.read(all)).toEqual([
      line,
      { ...line, outcome: 'quota_exceeded', count: 1 },
      { ...line, credential: '', route: 'health', count: 1 },
      { ...line, from: NOON + HOUR, count: 1 },
    ])
    const days = await journal.read({ ...all, per: 'day' })
    expect(days[0]).toEqual({ ...line, from: NOON - 12 * HOUR, count: 3 })
    expect(await journal.read({ ...all, tenant: 'globex' })).toEqual([{ ...line, tenant: 'globex', count: 1 }])
  })

  it('answers the periods that begin within what is asked', async () => {
    const journal = createJournal(createMemoryKeeper(), () => NOON)
    for (const hours of [0, 1, 2, 3]) journal.count(use(), NOON + hours * HOUR)
    const within = await journal.read({ ...all, from: NOON + HOUR, until: NOON + 3 * HOUR })
    expect(within.map(({ from }) => (from - NOON) / HOUR)).toEqual([1, 2])
  })

  it('writes down no credential, and nothing long', async () => {
    const { key } = newKey()
    const journal = createJournal(createMemoryKeeper(), () => NOON)
    journal.count(use({ credential: key }), NOON)
    journal.count(use({ credential: key }), NOON)
    journal.count(use({ credential: `${'x'.repeat(5000)}a` }), NOON)
    journal.count(use({ credential: `${'x'.repeat(5000)}b` }), NOON)
    const names = (await journal.read(all)).map(({ credential, count }) => [credential, count] as const)
    expect(names[0]).toEqual(['[credential]', 2])
    expect(names).toHaveLength(3)
    expect(Math.max(...names.map(([name]) => name.length))).toBeLessThanOrEqual(128)
  })
})

describe('bounds', () => {
  const reason = (index: number): Reason => (index % 2 === 0 ? 'allowed' : 'rate_limited')

  it('a tenant with too many credentials loses them, then routes, and no decision', async () => {
    const journal = createJournal(createMemoryKeeper(), () => NOON, { perTenant: 10 })
    for (let index = 0; index < 1000; index++) {
      journal.count(use({ credential: `c${index}`, route: `r${index % 7}`, outcome: reason(index) }), NOON)
    }
    journal.count(use({ tenant: 'globex' }), NOON)
    const lines = await journal.read(all)
    expect(sumOf(lines)).toBe(1000)
    expect(lines.length).toBeLessThanOrEqual(22)
    expect(lines.filter(({ credential }) => credential.startsWith('c'))).toHaveLength(10)
    expect(lines.filter(({ credential }) => credential === OTHERS).length).toBeGreaterThan(0)
    expect(journal.counts).toMatchObject({ counted: 1001, written: 1001, folded: 990, waiting: 0 })
    expect((await journal.read({ ...all, tenant: 'globex' }))[0]).toMatchObject({ credential: 'ci', route: 'orders' })
  })

  it('what waits is bounded however many tenants there are, and told together beyond', async () => {
    const keeper = breakableKeeper()
    const journal = createJournal(keeper, () => NOON, { total: 100 })
    for (let index = 0; index < 5000; index++) journal.count(use({ tenant: `t${index}` }), NOON)
    expect(journal.counts.waiting).toBeLessThanOrEqual(201)
    await journal.flush()
    expect(journal.counts).toMatchObject({ counted: 5000, written: 5000, waiting: 0 })
    expect(sumOf(await journal.read({ ...all, tenant: OTHERS }))).toBe(4800)
  })

  it('counts that cannot be written for two days are lost, and told as such', async () => {
    const keeper = breakableKeeper()
    let now = NOON
    const journal = createJournal(keeper, () => now)
    keeper.trouble = 'refuses'
    journal.count(use(), now)
    await journal.flush()
    journal.count(use(), now)
    now += 47 * HOUR
    journal.count(use(), now)
    await journal.flush()
    expect(journal.counts).toMatchObject({ lost: 0, waiting: 3 })
    now += HOUR
    await journal.flush()
    expect(journal.counts).toMatchObject({ lost: 2, waiting: 1 })
    keeper.trouble = 'none'
    expect(sumOf(await journal.read(all))).toBe(1)
    expect(journal.counts).toMatchObject({ counted: 3, written: 1, lost: 2, waiting: 0 })
  })

  it('a keeper in memory forgets the oldest hours and days, first those for which there is no room', async () => {
    const keeper = createMemoryKeeper({ hours: 3, days: 2, total: 6, perTenant: 100 })
    const write = (hours: number, credential = 'ci') =>
      keeper.write({
        tenant: 'acme',
        from: NOON + hours * HOUR,
        sequence: 1,
        lines: [{ ...use({ credential }), count: 1 }],
      })
    for (const hours of [0, 1, 2, 3]) await write(hours)
    const kept = async () => (await keeper.read(all)).map(({ from }) => (from - NOON) / HOUR)
    expect(await kept()).toEqual([1, 2, 3])
    await write(0)
    expect(await kept()).toEqual([1, 2, 3])
    for (const credential of ['a', 'b', 'c', 'd']) await write(3, credential)
    expect(await kept()).not.toContain(1)
    expect(await kept()).toContain(3)
    for (const days of [1, 2, 3]) await write(days * 24)
    expect(await keeper.read({ ...all, per: 'day' })).toHaveLength(2)
  })
})

describe('writing', () => {
  it('tries a batch again as it is, and counts what came meanwhile in the next', async () => {
    const keeper = breakableKeeper()
    const journal = createJournal(keeper, () => NOON)
    keeper.trouble = 'losesAnswer'
    journal.count(use(), NOON)
    await journal.flush()
    journal.count(use(), NOON)
    await journal.flush()
    keeper.trouble = 'none'
    await journal.flush()
    expect(keeper.attempts.map(({ sequence, lines }) => [sequence, sumOf(lines)])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 1],
    ])
    expect(sumOf(await journal.read(all))).toBe(2)
    expect(journal.counts).toMatchObject({ failures: 2, written: 2, waiting: 0 })
  })

  it('counts each decision once in any order of troubles', async () => {
    const trouble = fc.constantFrom<Trouble>('none', 'refuses', 'losesAnswer', 'silent')
    const step = fc.record({
      trouble,
      uses: fc.array(fc.record({ tenant: fc.nat(3), credential: fc.nat(4), hours: fc.nat(2) })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const keeper = breakableKeeper()
        const journal = createJournal(keeper, () => NOON, { batch: 2, timeoutMs: 1 })
        let counted = 0
        for (const { uses, trouble: next } of steps) {
          for (const { tenant, credential, hours } of uses) {
            journal.count(use({ tenant: `t${tenant}`, credential: `c${credential}` }), NOON + hours * HOUR)
            counted += 1
          }
          keeper.trouble = next
          await journal.flush()
        }
        keeper.trouble = 'none'
        await journal.flush()
        const tenants = [0, 1, 2, 3].map((tenant) => journal.read({ ...all, tenant: `t${tenant}` }))
        expect(sumOf((await Promise.all(tenants)).flat())).toBe(counted)
        expect(journal.counts).toMatchObject({ counted, written: counted, waiting: 0, lost: 0 })
      }),
      { numRuns: 60 },
    )
  })

  it('asks a keeper that fails one question at a time', async () => {
    const keeper = breakableKeeper()
    const journal = createJournal(keeper, () => NOON)
    for (let index = 0; index < 500; index++) journal.count(use({ tenant: `t${index}` }), NOON)
    keeper.trouble = 'refuses'
    await journal.flush()
    const first = keeper.attempts.length
    expect(first).toBeLessThan(100)
    await journal.flush()
    expect(keeper.attempts.length).toBe(first + 1)
    keeper.trouble = 'none'
    await journal.flush()
    expect(journal.counts).toMatchObject({ written: 500, waiting: 0 })
  })

  it('ends within its bound when nobody answers, and says how many decisions are not known to be written', async () => {
    const keeper = breakableKeeper()
    const kept = createKeptUsage(keeper, { now: () => NOON, bounds: { timeoutMs: 60_000 } })
    kept.start()
    for (let index = 0; index < 3; index++) kept.count(use(), NOON)
    keeper.trouble = 'silent'
    expect(await kept.close(1)).toBe(3)
  })

  it('writes all there is when it is closed', async () => {
    const keeper = breakableKeeper()
    let flushed = 0
    const alongside = async () => {
      flushed += 1
    }
    const kept = createKeptUsage(keeper, { now: () => NOON, alongside })
    kept.count(use(), NOON)
    expect(await kept.close(10_000)).toBe(0)
    expect(sumOf(await keeper.read(all))).toBe(1)
    expect(flushed).toBe(1)
  })
})
