/** `keys create` makes a key that the policy it prints will know, and keeps nothing. */
import { describe, expect, it } from 'vitest'
import { keys } from '../../../cli/keys/keys.ts'
import { said } from '../../support/command.ts'
import { gateOf, policyOf } from '../../support/gate.ts'

const run = (...argv: string[]) => said(keys, argv)

const policyWith = (entry: string) => `version: 1
plans: { free: {} }
tenants:
  acme:
    plan: free
    apiKeys:
${entry}
routes: [{ name: all, match: { path: /** }, require: { scopes: [orders:read], roles: [admin] } }]
`

describe('keys create', () => {
  it('prints an entry that can be pasted into the policy, and the key opens what it says', async () => {
    const { code, stdout } = await run('create', '--tenant', 'acme', '--scopes', 'orders:read, x', '--roles', 'admin')
    expect(code).toBe(0)
    const key = /^key {3}(tg_live_\S+)$/m.exec(stdout)?.[1] ?? ''
    const entry = stdout.split('\n').find((line) => line.includes('- { id:')) ?? ''
    const decision = await gateOf(policyOf(policyWith(entry))).ask({ headers: { 'x-api-key': key } })
    expect(decision).toMatchObject({ decision: 'allow', tenant: 'acme', scopes: ['orders:read', 'x'] })
  })

  it('makes a key that begins and ends when it is told to', async () => {
    const times = ['--not-before', '2098-01-01T00:00:00Z', '--expires-at', '2099-01-01T00:00:00Z']
    const argv = ['create', '--tenant', 'acme', '--scopes', 'orders:read', '--roles', 'admin', ...times]
    const { stdout } = await run(...argv)
    const key = /^key {3}(tg_live_\S+)$/m.exec(stdout)?.[1] ?? ''
    const gate = gateOf(policyOf(policyWith(stdout.split('\n').find((line) => line.includes('- { id:')) ?? '')))
    const at = async (time: string) => (await gate.ask({ headers: { 'x-api-key': key } }, Date.parse(time))).reason
    expect(await at('2097-12-31T00:00:00Z')).toBe('invalid_credential')
    expect(await at('2098-06-01T00:00:00Z')).toBe('allowed')
    expect(await at('2099-01-01T00:00:00Z')).toBe('expired_credential')
  })

  it('prints id, key and hash as JSON for programs; no two keys are alike', async () => {
    const made = await Promise.all([1, 2].map(() => run('create', '--tenant', 'acme', '--env', 'test', '--json')))
    const [first, second] = made.map(({ stdout }) => JSON.parse(stdout))
    expect(first).toEqual({
      id: expect.stringMatching(/^key-[0-9a-f]{8}$/),
      key: expect.stringMatching(/^tg_test_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/),
      hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    })
    expect(second.key).not.toBe(first.key)
  })

  it.each(['roles', 'scopes'])('takes at most 256 %s, as a policy does', async (rights) => {
    const create = (count: number) => run('create', '--tenant', 'acme', `--${rights}`, Array(count).fill('a').join())
    expect((await create(256)).code).toBe(0)
    expect(await create(257)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`--${rights} has more than 256`),
    })
  })

  it.each([
    [['create'], '--tenant is missing'],
    [['create', '--tenant', 'a b'], "--tenant 'a b' is not a tenant id"],
    [['create', '--tenant', 'acme', '--scopes', 'a b'], "'a b' is not a scope"],
    [['create', '--tenant', 'acme', '--roles', 'a b'], "'a b' is not a role"],
    [['create', '--tenant', 'acme', '--id', 'a b'], "--id 'a b' is not a name"],
    [['create', '--tenant', 'acme', '--env', 'LIVE'], '--env takes 1 to 16 lower-case letters or digits'],
    [['create', '--tenat', 'acme'], 'did you mean --tenant?'],
    [['create', '--tenant', 'acme', '--expires-at', 'soon'], '--expires-at is a time such as'],
    [['create', '--tenant', 'acme', '--not-before', 'soon'], '--not-before is a time such as'],
    [['create', '--tenant', 'acme', '--expires-at', '2026-01-01T00:00:00Z'], 'over before the key begins'],
    [
      ['create', '--tenant', 'acme', '--not-before', '2099-01-01T00:00:00Z', '--expires-at', '2098-01-01T00:00:00Z'],
      'over before the key begins',
    ],
    [[], 'expected create, rotate, revoke or list'],
    [['constructor'], 'expected create, rotate, revoke or list'],
  ])('wrong use is told, with exit code 2: %j', async (argv, words) => {
    const { code, stdout, stderr } = await run(...argv)
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  })
})
