/** Decisions to translate: made up here, so that each test says only what it is about. */
import type { Allow, Deny } from '../../core/decision.ts'
import type { LimitReport } from '../../core/limits/limit.ts'
import type { Identity } from '../../core/policy.ts'
import type { GatewayRequest } from '../../core/request.ts'

const identity: Identity = {
  sources: ['apiKey', 'jwt'],
  apiKey: { header: 'x-api-key', bearer: true },
  host: undefined,
  removeCredentials: false,
  clientCertificate: { forwarded: false },
  failedCredentials: undefined,
  headers: new Map(),
  token: undefined,
}

const daily = {
  kind: 'quota',
  name: 'daily',
  amount: 100,
  period: { count: 1, unit: 'day' },
  by: ['tenant'],
  expose: true,
} as const
const state = {
  limit: daily,
  admitted: true,
  remaining: 41,
  resetMs: 60_000,
  retryAfterMs: 0,
  delayMs: 0,
  windowMs: 86_400_000,
}

/** 41 of 100 a day are left. */
export const limits: LimitReport = {
  states: [state],
  exposed: [state],
  strictest: state,
  violated: [],
  observed: [],
}

export function requestOf(headers: Record<string, string> = {}): GatewayRequest {
  return { id: 'r-1', method: 'GET', host: 'acme.test', path: '/v1', headers, clientAddress: '192.0.2.7' }
}

export function allowOf(parts: Partial<Allow> = {}): Allow {
  const request = requestOf()
  return { decision: 'allow', reason: 'allowed', request, identity, grpc: false, roles: [], scopes: [], ...parts }
}

export function denyOf(parts: Partial<Deny> = {}): Deny {
  const request = requestOf()
  const because = 'no credential was shown'
  return { decision: 'deny', reason: 'missing_credential', because, request, identity, grpc: false, ...parts }
}
