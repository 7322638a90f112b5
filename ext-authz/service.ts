/** Envoy's services as @grpc/grpc-js wants them described, read from our own protos. */
import { join } from 'node:path'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { packageRoot } from '../package-root.ts'
import { encodeResponse } from './encode-response.ts'
import type { RateLimitRequest, RateLimitResponse } from './hits-messages.ts'
import type { CheckRequest, CheckResponse } from './messages.ts'

export const AUTHORIZATION = 'envoy.service.auth.v3.Authorization'
export const RATE_LIMIT_SERVICE = 'envoy.service.ratelimit.v3.RateLimitService'

/** The folder that our protos are imported from. */
export const protoFolder = join(packageRoot, 'ext-authz', 'proto')

export type AuthorizationDefinition = ServiceDefinition & {
  readonly Check: MethodDefinition<CheckRequest, CheckResponse, CheckRequest, CheckResponse>
}

export type RateLimitDefinition = ServiceDefinition & {
  readonly ShouldRateLimit: MethodDefinition<RateLimitRequest, RateLimitResponse, RateLimitRequest, RateLimitResponse>
}

const OPTIONS = { includeDirs: [protoFolder], longs: Number }

/** Reads the protos from the disk; once, at start. */
export function loadAuthorization(): AuthorizationDefinition {
  return loadSync('envoy/service/auth/v3/external_auth.proto', OPTIONS)[AUTHORIZATION] as AuthorizationDefinition
}

/** Reads the protos from the disk; once, at start. */
export function loadRateLimit(): RateLimitDefinition {
  return loadSync('envoy/service/ratelimit/v3/rls.proto', OPTIONS)[RATE_LIMIT_SERVICE] as RateLimitDefinition
}

/** The same, answering by our own encoder. */
export function servedAuthorization(): AuthorizationDefinition {
  const definition = loadAuthorization()
  const Check: AuthorizationDefinition['Check'] = { ...definition.Check, responseSerialize: encodeResponse }
  return Object.assign({ ...definition }, { Check })
}
