/** Shares are made by texts: which rules in a `fractional` may give a list. */
import { describe, expect, it } from 'vitest'
import { policyWith, problemsWith } from './flag-policy.ts'

const FILE = '/flags.json'
const isB = { '==': [{ var: '' }, 'b'] }
const byTenantOrUser = (condition: unknown) => ({ if: [condition, { var: 'tenant' }, { var: 'user' }] })

const fileWith = (hashed: unknown) => ({
  flags: {
    one: {
      state: 'ENABLED',
      variants: { on: 'a', off: 'b' },
      defaultVariant: 'off',
      targeting: { fractional: [hashed, ['on', 50], ['off', 50]] },
    },
  },
})

describe('what a share is made by', () => {
  it.each([
    [byTenantOrUser({ missing: ['user'] })],
    [byTenantOrUser({ filter: [{ var: 'roles' }, isB] })],
    [byTenantOrUser({ var: 'roles' })],
    [byTenantOrUser({ in: ['b', { var: 'roles' }] })],
    [{ if: [{ missing: ['user'] }, { var: 'tenant' }, { var: 'roles' }, { var: 'plan' }, { var: 'user' }] }],
    [{ or: [{ var: 'user' }, { var: 'tenant' }] }],
    [['on', 50]],
  ])('may be asked of lists, where what they decide on is a text: %j', (hashed) => {
    expect(policyWith(FILE, fileWith(hashed)).ok).toBe(true)
  })

  it.each([
    [{ var: 'roles' }],
    [{ var: ['roles', 'x'] }],
    [{ if: [{ var: 'user' }, { var: 'roles' }, { var: 'user' }] }],
    [{ if: [{ var: 'user' }, { var: 'user' }, { filter: [{ var: 'roles' }, isB] }] }],
    [{ if: [{ var: 'user' }, 'x', ['canary']] }],
    [{ if: [{ var: 'roles' }] }],
    [{ or: [false, ['canary']] }],
    [{ and: [{ var: 'user' }, { missing: ['plan'] }] }],
  ])('is refused where it may be a list: %j', (hashed) => {
    expect(problemsWith(FILE, fileWith(hashed))).toMatchObject([
      { message: expect.stringContaining('that may hash a list') },
    ])
  })
})
