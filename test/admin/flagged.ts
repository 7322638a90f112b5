/** A policy with flags of each kind, for tests of how they are administered and asked for. */

export const FLAGS = {
  flags: {
    'orders-backend': {
      state: 'ENABLED',
      variants: { stable: 'orders-stable', canary: 'orders-canary' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'canary', null] },
    },
    'per-user': {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: { if: [{ '==': [{ var: 'targetingKey' }, 'u1'] }, 'on', null] },
      metadata: { targetingKey: 'user' },
    },
    gone: { state: 'DISABLED', variants: { on: true }, defaultVariant: 'on' },
    'plan/of': {
      state: 'ENABLED',
      variants: { pro: { size: 2 }, free: { size: 1 } },
      defaultVariant: 'free',
      targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'pro', null] },
    },
    plain: { state: 'ENABLED', variants: { one: 1 }, defaultVariant: 'one' },
    broken: { state: 'ENABLED', variants: { a: 'a', b: 'b' }, defaultVariant: 'a', targeting: { var: 'wanted' } },
  },
}

export const flaggedPolicy = (hash: string) => `version: 1
plans: { pro: {}, free: {} }
tenants:
  acme: { plan: pro, aliases: [org-1], attributes: { beta: true }, apiKeys: [{ id: ci, hash: "${hash}" }] }
  globex: { plan: free }
upstreams: [orders-stable, orders-canary]
routes: [{ name: all, match: { path: /** }, upstream: { default: orders-stable, flag: orders-backend } }]
flags:
  file: flags.json
  rollouts:
    orders-backend:
      variant: canary
      steps:
        - { from: 2026-11-01T00:00:00Z, percent: 0 }
        - { from: 2026-11-22T13:00:00Z, percent: 100 }
        - { from: 2026-11-23T13:00:00Z, percent: 50 }
`
