/** `flags` on a policy file, a state file and a running service: what somebody gets, from when on another, and a switch that lasts. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { flags } from '../../../cli/flags/flags.ts'
import { said } from '../../support/command.ts'
import { type Serving, serve } from '../serving.ts'
import { FLAGS, type FlaggedFolder, flaggedFolder } from './flagged.ts'

let folder: FlaggedFolder
beforeEach(() => {
  folder = flaggedFolder()
})
afterEach(() => folder.remove())

const run = (...argv: string[]) => said(flags, argv)
const evaluate = (...argv: string[]) =>
  run('evaluate', '--policy', folder.policy, '--at', '2026-11-22T12:00:00Z', ...argv)
const gotten = async (...argv: string[]) => JSON.parse((await evaluate(...argv, '--json')).stdout)

describe('flags evaluate', () => {
  it('says what a tenant gets of each flag now, and from when on something else', async () => {
    const { code, stdout } = await evaluate('--tenant', 'globex')
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
      'FLAG | VARIANT | VALUE | REASON | CHANGES',
      expect.stringMatching(
        /^orders-backend \| stable \| orders-stable \| \w+ \| canary from 2026-12-03T09:00:00Z, stable from 2026-12-05T09:00:00.500Z$/,
      ),
      expect.stringMatching(/^new-checkout \| off \| false \| \w+$/),
      'gone | - | - | DISABLED (by the file)',
      '',
    ])
  })

  it('says at another time what is so then', async () => {
    const at = (time: string) =>
      run('evaluate', '--policy', folder.policy, '--flag', 'orders-backend', '--tenant', 'globex', '--at', time)
    expect((await at('2026-12-03T09:00:00Z')).stdout).toMatch(
      /canary +orders-canary .* stable from 2026-12-05T09:00:00.500Z\n/,
    )
    expect((await at('2026-12-03T08:59:59Z')).stdout).toMatch(/stable +orders-stable .* canary from/)
    expect((await at('2027-01-01T00:00:00+01:00')).stdout).not.toContain(' from ')
  })

  it('lists the one step at which a tenant changes, of all that a rollout has, in the table as in JSON', async () => {
    const days = [5, 10, 25, 50, 100, 100].map((percent, index) => {
      return `{ from: 2026-12-0${index + 1}T00:00:00Z, percent: ${percent} }`
    })
    const flagged = JSON.stringify({ metadata: { targetingKey: 'user' }, ...FLAGS })
    const text = readFileSync(folder.policy, 'utf8').replace('flags.json', folder.write('slow.json', flagged))
    const policy = folder.write('slow.yaml', text.replace(/steps:[\s\S]*$/, `steps: [${days.join(', ')}]\n`))
    const froms = new Set<string>()
    for (let index = 0; index < 12; index += 1) {
      const asked = ['evaluate', '--policy', policy, '--at', '2026-11-22T12:00:00Z', '--flag', 'orders-backend']
      const user = ['--tenant', 'globex', '--user', `u${index}`]
      const [flag] = JSON.parse((await run(...asked, ...user, '--json')).stdout).flags
      expect(flag).toMatchObject({ variant: 'stable', changes: [{ variant: 'canary', value: 'orders-canary' }] })
      expect(flag.changes).toHaveLength(1)
      const from = flag.changes[0].from.replace('.000Z', 'Z')
      expect((await run(...asked, ...user)).stdout).toMatch(new RegExp(` canary from ${from}\n`))
      froms.add(from)
    }
    expect(froms.size).toBeGreaterThan(1)
  })

  it('asks as decisions do: attributes, headers that the policy names, and overrides of those who may', async () => {
    expect(await gotten('--tenant', 'acme', '--flag', 'orders-backend')).toEqual({
      tenant: 'acme',
      at: '2026-11-22T12:00:00.000Z',
      flags: [
        { flag: 'orders-backend', variant: 'beta', value: 'orders-beta', reason: 'TARGETING_MATCH', changes: [] },
      ],
    })
    const variantOf = async (flag: string, ...argv: string[]) =>
      (await gotten('--flag', flag, ...argv)).flags[0].variant
    expect(await variantOf('new-checkout', '-H', 'X-App: 2')).toBe('on')
    expect(await variantOf('new-checkout', '-H', 'x-other: 2')).toBe('off')
    const override = ['--tenant', 'globex', '-H', 'x-flag-override: orders-backend=canary']
    expect(await variantOf('orders-backend', ...override, '--role', 'tester')).toBe('canary')
    expect(await variantOf('orders-backend', ...override, '--role', 'other')).toBe('stable')
  })

  it('asks as a credential that may choose, by its id and its tenant', async () => {
    const chosen = (...argv: string[]) =>
      gotten('--flag', 'orders-backend', '-H', 'x-flag-override: orders-backend=canary', ...argv)
    expect(await chosen('--tenant', 'acme', '--credential', 'ci')).toMatchObject({
      flags: [{ variant: 'canary', reason: 'OVERRIDE', by: 'credential acme/ci' }],
    })
    expect(await chosen('--tenant', 'acme', '--credential', 'app')).toMatchObject({ flags: [{ variant: 'beta' }] })
    expect(await chosen('--tenant', 'globex', '--credential', 'ci')).toMatchObject({ flags: [{ variant: 'stable' }] })
  })

  it('takes a header that came twice for one text, as gateways and `explain` do', async () => {
    const variantsOf = async (...argv: string[]) => {
      const { flags } = await gotten(...argv)
      return flags.map(({ variant }: { variant?: string }) => variant)
    }
    const of = ['--flag', 'new-checkout', '--flag', 'orders-backend']
    expect(await variantsOf(...of, '-H', 'x-app: 8', '-H', 'X-App: 2')).toEqual(['off', 'stable'])
    const two = ['-H', 'x-flag-override: new-checkout=on', '-H', 'X-Flag-Override: orders-backend=canary']
    expect(await variantsOf(...of, '--tenant', 'acme', '--credential', 'ci', ...two)).toEqual(['on', 'canary'])
  })

  it('takes a step at the first whole second that is not before it, since rules see no parts of seconds', async () => {
    const at = async (time: string) =>
      (await gotten('--flag', 'orders-backend', '--tenant', 'globex', '--at', time)).flags[0].variant
    expect(await at('2026-12-05T09:00:00.999Z')).toBe('canary')
    expect(await at('2026-12-05T09:00:01Z')).toBe('stable')
  })

  it('knows a tenant by what an issuer calls it, too', async () => {
    expect(await gotten('--tenant', 'org_7f3a')).toEqual(await gotten('--tenant', 'acme'))
  })

  it.each([
    [['--flag', 'none'], 1, "no file in which there is a flag 'none'"],
    [['--flag', 'ordersbackend'], 1, "Did you mean 'orders-backend'?"],
    [['--credential', 'ci'], 2, '--credential is one of the tenant that --tenant names'],
    [['--tenant', 'acme', '--credential', 'a b'], 2, 'credential: is not the id of a credential'],
    [['--tenant', 'none'], 1, "The policy has no tenant 'none'"],
    [['--route', 'none'], 1, "has no route 'none'"],
    [['--at', 'tomorrow'], 2, '--at is a time such as'],
    [['-H', 'x'], 2, "-H 'name: value'"],
    [['orders-backend'], 2, '--flag orders-backend'],
    [['--tenant', 'A B'], 2, 'tenant: is not the id or an alias of a tenant'],
    [['--flags', 'x'], 2, 'did you mean --flag?'],
  ])('refuses %j', async (argv, code, words) => {
    const refused = await evaluate(...argv)
    expect([refused.code, refused.stdout]).toEqual([code, ''])
    expect(refused.stderr).toContain(words)
  })

  it('says which place it has its answer from where none or two are given', async () => {
    expect(await run('evaluate')).toMatchObject({ code: 2, stderr: expect.stringContaining('give --policy FILE') })
    expect((await run('evaluate', '--policy', folder.policy, '--server', 'http://127.0.0.1:1')).code).toBe(2)
    expect((await run('evaluate', '--server', 'unix:/none', '--state', 'f')).code).toBe(2)
    expect(await run('evaluate', '--policy', `${folder.path}/none.yaml`)).toMatchObject({ code: 1, stdout: '' })
  })
})

describe('flags off and on', () => {
  it('are written into a state file, where the last of them holds, and seen by who looks', async () => {
    const state = folder.write('state', '')
    const seen = async () =>
      JSON.parse(
        (
          await run(
            'evaluate',
            '--policy',
            folder.policy,
            '--state',
            state,
            '--flag',
            'orders-backend',
            '--tenant',
            'acme',
            '--json',
          )
        ).stdout,
      ).flags[0]
    expect(await run('off', 'orders-backend', '--state', state)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^orders-backend: switched off, since 20\S+Z\n$/),
    })
    expect(await seen()).toMatchObject({ reason: 'DISABLED', off: 'switch' })
    expect((await run('off', 'orders-backend', '--state', state)).stdout).toContain('switched off already, since')
    expect((await run('list', '--policy', folder.policy, '--state', state)).stdout).toMatch(
      /^orders-backend +off \(switch\) /m,
    )
    expect((await run('on', 'orders-backend', '--state', state)).stdout).toContain('orders-backend: switched on')
    expect(await seen()).toMatchObject({ variant: 'beta' })
    expect(readFileSync(state, 'utf8').trimEnd().split('\n')).toHaveLength(2)
  })

  it('are told to the audit, done or not', async () => {
    const [state, audit] = [folder.write('state', ''), `${folder.path}/audit`]
    await run('off', 'gone', '--state', state, '--audit', audit)
    expect((await run('off', 'gone', '--state', `${folder.path}/none`, '--audit', audit)).code).toBe(1)
    const lines = readFileSync(audit, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { action: 'flag_switched_off', outcome: 'done', flag: 'gone' },
      { action: 'flag_switched_off', outcome: 'failed' },
    ])
  })

  it.each([
    [['off'], 'which flag?'],
    [['off', 'a', 'b'], 'which flag?'],
    [['on', 'a'], 'where? give --server URL'],
    [['on', '__proto__', '--state', 'f'], 'is not the name of a flag'],
    [['on', 'a', '--state', 'f', '--redis', 'redis://x'], 'not both'],
  ])('are wrong use as %j', async (argv, words) => {
    const refused = await run(...argv)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(words)])
  })

  it('refuse a name that no flag may have and that nobody has switched: for `off` it is a slip, for `on` it is so already', async () => {
    const state = folder.write('state', '')
    const refused = await run('off', 'a b', '--state', state)
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain("flags off: No flag can be called 'a b': a name is 1 to 128 characters")
    expect(await run('on', 'a b', '--state', state)).toMatchObject({ code: 0, stdout: 'a b: switched on already\n' })
    expect(readFileSync(state, 'utf8')).toBe('')
  })

  it('of what is a key by mistake do not print it', async () => {
    const refused = await run('off', folder.key, '--state', 'f')
    expect(refused.code).toBe(2)
    expect(refused.stderr).not.toContain(folder.key)
  })
})

describe('a running service', () => {
  let serving: Serving | undefined
  afterEach(async () => {
    serving?.signal('SIGTERM')
    await serving?.exit
  })

  it('switches a flag at once, says so to whoever asks, and still has it off when it is started anew', async () => {
    const [state, token] = [folder.write('state', ''), randomBytes(32).toString('hex')]
    const admin = `unix:${folder.path}/admin`
    const env = { TENANTGATE_ADMIN_TOKEN: token }
    const start = () =>
      serve(
        [
          '--policy',
          folder.policy,
          '--listen',
          `unix:${folder.path}/s`,
          '--http',
          'off',
          '--admin',
          admin,
          '--state',
          state,
        ],
        env,
      )
    const ask = (...argv: string[]) => said(flags, [...argv, '--server', admin], env)
    const seen = async () =>
      JSON.parse((await ask('evaluate', '--tenant', 'acme', '--flag', 'orders-backend', '--json')).stdout).flags[0]
    serving = await start()
    expect(await seen()).toMatchObject({ variant: 'beta' })
    expect(await ask('off', 'orders-backend')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('switched off'),
    })
    expect((await ask('off', 'to-come/2')).stdout).toContain('no policy here has a flag of this name')
    expect((await ask('off', 'to come')).stderr).toContain("No flag can be called 'to come'")
    expect(await seen()).toMatchObject({ reason: 'DISABLED', off: 'switch' })
    serving.signal('SIGTERM')
    await serving.exit
    serving = await start()
    expect(await seen()).toMatchObject({ reason: 'DISABLED' })
    const listed = await ask('list')
    expect(listed.stdout).toMatch(/^orders-backend +off \(switch\) .*canary 0 %, .*from/m)
    expect(listed.stdout).toMatch(/^to-come\/2 +off \(switch\), in no policy/m)
    expect((await ask('on', 'orders-backend')).code).toBe(0)
    expect(await seen()).toMatchObject({ variant: 'beta' })
  })
})
