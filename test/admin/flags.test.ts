/** An operator switches a flag off: from then on nobody gets a variant of it, whoever knows it says so, and it can be undone. */
import { afterEach, describe, expect, it } from 'vitest'
import { MOST_SWITCHED } from '../../admin/flags.ts'
import type { FlagSwitch } from '../../core/flags/switches.ts'
import { createMemoryLedger } from '../../stores/records/memory-ledger.ts'
import { type Administration, administration, TOKEN } from './administration.ts'
import { FLAGS, flaggedPolicy } from './flagged.ts'

let admin: Administration | undefined
afterEach(() => admin?.close())

async function open(more: Parameters<typeof administration>[0] = {}): Promise<Administration> {
  admin = await administration({ policy: flaggedPolicy, flags: FLAGS, ...more })
  return admin
}

describe('a flag', () => {
  it('that is switched off sends everybody to the default, until it is switched on again', async () => {
    const { key, ask, use } = await open()
    expect(await use(key)).toMatchObject({ upstream: 'orders-canary', variant: 'canary' })
    const off = await ask('POST', '/v1/flags/orders-backend/off')
    expect([off.status, off.body]).toEqual([
      200,
      {
        flag: 'orders-backend',
        state: 'off',
        changed: true,
        since: '2026-11-22T12:00:00.000Z',
        known: true,
        durable: false,
      },
    ])
    const decision = await use(key)
    expect(decision).toMatchObject({ decision: 'allow', upstream: 'orders-stable' })
    expect(decision).not.toHaveProperty('variant')
    expect((await ask('POST', '/v1/flags/orders-backend/on')).body).toMatchObject({ state: 'on', changed: true })
    expect(await use(key)).toMatchObject({ upstream: 'orders-canary' })
  })

  it('that is so already stays as it is, since when it was', async () => {
    const { ask, clock, ledger } = await open()
    expect((await ask('POST', '/v1/flags/plain/on')).body).toMatchObject({ state: 'on', changed: false })
    await ask('POST', '/v1/flags/plain/off')
    clock.now += 60_000
    const again = await ask('POST', '/v1/flags/plain/off')
    expect(again.body).toMatchObject({ changed: false, since: '2026-11-22T12:00:00.000Z' })
    expect([...ledger.switches.all()]).toHaveLength(1)
  })

  it('is switched also where a clock that goes ahead of ours has switched it before', async () => {
    const { ask, clock, ledger } = await open()
    await ask('POST', '/v1/flags/plain/off')
    clock.now -= 3_600_000
    expect((await ask('POST', '/v1/flags/plain/on')).body).toMatchObject({ state: 'on', changed: true })
    expect(ledger.switches.isOff('plain')).toBe(false)
  })

  it('that the policy does not know can be switched, and the answer says so', async () => {
    const { ask } = await open()
    expect((await ask('POST', '/v1/flags/to-come/off')).body).toMatchObject({ state: 'off', known: false })
    const { flags } = (await ask('GET', '/v1/flags')).body as { flags: { name: string }[] }
    expect(flags.at(-1)).toEqual({
      name: 'to-come',
      known: false,
      state: 'off',
      by: 'switch',
      since: '2026-11-22T12:00:00.000Z',
      keyedBy: 'tenant',
    })
  })

  it('may have any name that a policy may give it, percent-encoded', async () => {
    const { ask } = await open()
    const odd = 'plan/of'
    const told = await ask('POST', `/v1/flags/${encodeURIComponent(odd)}/off`)
    expect(told.body).toMatchObject({ flag: odd, known: true })
    expect((await ask('POST', `/v1/flags/${encodeURIComponent('a/b?%c')}/off`)).body).toMatchObject({ flag: 'a/b?%c' })
  })

  it('that was switched under a name which no file may give it any more can be switched back', async () => {
    const ledger = createMemoryLedger()
    await ledger.add(() => [{ kind: 'flag-switched', flag: 'a,b=c', to: 'off', at: 1 }])
    const { ask } = await open({ ledger })
    for (const to of ['on', 'off', 'on']) {
      const told = await ask('POST', `/v1/flags/${encodeURIComponent('a,b=c')}/${to}`)
      expect(told.body).toMatchObject({ flag: 'a,b=c', state: to, changed: true, known: false })
    }
  })

  it.each(['a b', 'a,b=c', 'ü', 'x'.repeat(129)])('that no file may call %s is not switched off', async (name) => {
    const { ask, ledger } = await open()
    const told = await ask('POST', `/v1/flags/${encodeURIComponent(name)}/off`)
    expect([told.status, told.body.code]).toEqual([404, 'unknown_flag'])
    expect(told.body.detail).toContain(`No flag can be called '${name}'`)
    expect([...ledger.switches.all()]).toEqual([])
    const on = await ask('POST', `/v1/flags/${encodeURIComponent(name)}/on`)
    expect(on.body).toMatchObject({ state: 'on', changed: false })
  })

  it.each(['__proto__', 'constructor', '%00', '%E0%A4', 'a%0ab', '', 'x'.repeat(257)])(
    'is not called %s',
    async (name) => {
      const { ask, ledger } = await open()
      expect((await ask('POST', `/v1/flags/${name}/off`)).status).toBe(404)
      expect([...ledger.switches.all()]).toEqual([])
    },
  )

  it('is not called as a key is: what was pasted by mistake is written down nowhere', async () => {
    const { key, ask, events } = await open()
    const told = await ask('POST', `/v1/flags/${key}/off`)
    expect(told.status).toBe(404)
    expect(JSON.stringify([told.text, events])).not.toContain(key)
  })

  it('is one of a bounded number that may be switched; those that were can be switched back', async () => {
    const ledger = createMemoryLedger()
    const switches = Array.from({ length: MOST_SWITCHED }, (_, index): FlagSwitch => {
      return { kind: 'flag-switched', flag: `f${index}`, to: 'off', at: 1 }
    })
    await ledger.add(() => switches)
    const { ask } = await open({ ledger })
    const refused = await ask('POST', '/v1/flags/plain/off')
    expect([refused.status, refused.body.code]).toEqual([409, 'too_many_switches'])
    expect((await ask('POST', '/v1/flags/f7/on')).body).toMatchObject({ changed: true })
  })

  it('whose switch cannot be recorded is not told to be off', async () => {
    const ledger = { ...createMemoryLedger(), add: async () => 'the disk is full' }
    const { ask, events } = await open({ ledger })
    const failed = await ask('POST', '/v1/flags/plain/off')
    expect([failed.status, failed.body.code]).toEqual([503, 'not_recorded'])
    expect(events).toMatchObject([{ action: 'flag_switched_off', outcome: 'failed' }])
  })
})

describe('the list of flags', () => {
  it('tells of each how it stands, and where its rollout goes next', async () => {
    const { ask } = await open()
    await ask('POST', '/v1/flags/plain/off')
    const told = await ask('GET', '/v1/flags')
    const { flags, ...rest } = told.body as { flags: { name: string }[] }
    expect(rest).toEqual({ total: 6, provider: false, durable: false })
    const byName = Object.fromEntries(flags.map(({ name, ...flag }) => [name, flag]))
    expect(byName['orders-backend']).toEqual({
      known: true,
      state: 'on',
      keyedBy: 'tenant',
      rollout: {
        variant: 'canary',
        percent: 0,
        since: '2026-11-01T00:00:00.000Z',
        next: { from: '2026-11-22T13:00:00.000Z', percent: 100 },
      },
    })
    expect(byName['per-user']).toMatchObject({ state: 'on', keyedBy: 'user' })
    expect(byName.gone).toMatchObject({ state: 'off', by: 'file' })
    expect(byName.plain).toMatchObject({ state: 'off', by: 'switch', since: '2026-11-22T12:00:00.000Z' })
  })

  it('comes in parts, and has no step to come after the last', async () => {
    const { ask, clock } = await open()
    clock.now = Date.parse('2027-01-01T00:00:00Z')
    const { flags, total } = (await ask('GET', '/v1/flags?limit=1')).body as { flags: object[]; total: number }
    expect([flags.length, total]).toEqual([1, 6])
    expect(flags[0]).toMatchObject({ rollout: { percent: 50, since: '2026-11-23T13:00:00.000Z' } })
    expect(JSON.stringify(flags)).not.toContain('next')
    expect((await ask('GET', '/v1/flags?limit=0')).status).toBe(400)
  })

  it('is empty where the policy has none', async () => {
    const { ask } = await open({
      policy: (hash) =>
        flaggedPolicy(hash)
          .replace(/\nflags:[\s\S]*/, '')
          .replace(', flag: orders-backend', ''),
    })
    expect((await ask('GET', '/v1/flags')).body).toEqual({ flags: [], total: 0, provider: false, durable: false })
  })
})

describe('who switches a flag', () => {
  it('is told to the audit, by the name that they give', async () => {
    const { ask, events } = await open()
    await ask('POST', '/v1/flags/plain/off', undefined, { 'x-actor': 'olga' })
    expect(events).toEqual([
      expect.objectContaining({
        action: 'flag_switched_off',
        outcome: 'done',
        actor: 'olga',
        target: { flag: 'plain' },
      }),
    ])
  })

  it('has the token, and is no page of a browser', async () => {
    const { ask, ledger } = await open()
    const asWith = async (headers: Record<string, string>) =>
      (await ask('POST', '/v1/flags/plain/off', undefined, headers)).status
    expect(await asWith({ authorization: 'Bearer none' })).toBe(401)
    expect(await asWith({ host: 'rebound.example' })).toBe(403)
    expect(await asWith({ origin: 'http://localhost' })).toBe(403)
    expect(await asWith({ authorization: `Bearer ${TOKEN}x` })).toBe(401)
    expect([...ledger.switches.all()]).toEqual([])
  })

  it('does not do it by a GET', async () => {
    const { ask } = await open()
    expect((await ask('GET', '/v1/flags/plain/off')).status).toBe(405)
  })
})
