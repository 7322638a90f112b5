/** Decisions to translate: made up here, so that each test says only what it is about. */
import type { Allow, Deny } from '../../core/decision.ts'
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
