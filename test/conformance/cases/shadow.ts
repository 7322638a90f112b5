/** A route and a limit in shadow (T7): what they would refuse is observed, and nothing else is any weaker. */
import { ACME_ADMIN, ACME_KEY, ACME_READER, ANN_AT_ACME, GLOBEX_KEY, INITECH_KEY } from '../callers.ts'
import { reaches, refused, type Topic } from '../case.ts'

const TRIAL = '/v1/trial'
/** One a minute, if its limit were enforced. */
const TRIED = '/v1/tried'
const NOTHING_TOLD = { ratelimit: null, 'ratelimit-policy': null, 'x-ratelimit-limit': null, 'retry-after': null }

export const shadow: Topic = {
  title: 'shadow',
  cases: [
    {
      shows: 'T7',
      name: 'who lacks a scope is let through, as who he is and with no more rights',
      request: { path: TRIAL, as: 'acme reader key' },
      expect: reaches('orders-stable', ACME_READER),
    },
    {
      shows: 'T7',
      name: 'who lacks a role is let through',
      request: { path: TRIAL, as: 'globex key' },
      expect: reaches('orders-stable', GLOBEX_KEY),
    },
    {
      shows: 'T7',
      name: 'by a token too',
      request: { path: TRIAL, as: 'ann at acme second token' },
      expect: reaches('orders-stable', ANN_AT_ACME),
    },
    {
      shows: 'T7',
      name: 'who has what it requires passes as ever',
      request: { path: TRIAL, as: 'acme admin key' },
      expect: reaches('orders-stable', ACME_ADMIN),
    },
    {
      shows: 'T7',
      name: 'it is no open door: without a credential',
      request: { path: TRIAL },
      expect: refused(401, 'missing_credential'),
    },
    {
      shows: 'T7',
      name: 'it is no open door: with a bad one',
      request: { path: TRIAL, as: 'mistyped key' },
      expect: refused(401, 'invalid_credential'),
    },
    {
      shows: 'T7',
      name: "it is no open door: on another tenant's host",
      request: { path: TRIAL, host: 'globex.api.example.com', as: 'acme reader key' },
      expect: refused(403, 'tenant_conflict'),
    },
    {
      shows: 'T7',
      name: 'it is no open door: of a suspended tenant',
      request: { path: TRIAL, as: 'paused key' },
      expect: refused(403, 'tenant_suspended'),
    },
    {
      shows: 'T7',
      name: "a client's own identity is replaced there as everywhere",
      request: { path: TRIAL, as: 'acme reader key', headers: ['X-User-Roles: admin', 'X_Tenant_Id: globex'] },
      expect: reaches('orders-stable', ACME_READER),
    },
    {
      shows: 'T7',
      name: 'limits are enforced there as everywhere',
      steps: [
        {
          request: { path: TRIAL, as: 'initech second key' },
          times: 3,
          expect: { status: 200, backend: { upstream: 'orders-stable' } },
        },
        { request: { path: TRIAL, as: 'initech second key' }, expect: refused(429, 'rate_limited') },
      ],
    },
    {
      shows: 'T7',
      name: 'a limit in shadow refuses nobody, and clients are told nothing of it',
      steps: [
        {
          request: { path: TRIED, as: 'acme key' },
          times: 3,
          expect: { ...reaches('orders-stable', ACME_KEY), headers: NOTHING_TOLD },
        },
      ],
    },
    {
      shows: 'T7',
      name: 'a limit in shadow beside enforced ones: those are told as ever, and refuse at their own time',
      steps: [
        {
          request: { path: TRIED, as: 'initech key' },
          times: 3,
          expect: {
            ...reaches('orders-stable', INITECH_KEY),
            headers: { 'ratelimit-policy': '"burst";q=3;w=3, "daily";q=10;w=86400', 'retry-after': null },
          },
        },
        {
          request: { path: TRIED, as: 'initech key' },
          expect: refused(429, 'rate_limited', {
            headers: { 'retry-after': '1', 'x-ratelimit-limit': '3' },
            body: { violatedPolicies: ['burst'] },
          }),
        },
      ],
    },
  ],
}
