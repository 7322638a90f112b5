/** Envoy's Authorization service as @grpc/grpc-js wants it described, read from our own protos. */
import { join } from 'node:path'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { packageRoot } from '../package-root.ts'
import { encodeResponse } from './encode-response.ts'
import type { CheckRequest, CheckResponse } from './messages.ts'

export const AUTHORIZATION = 'envoy.service.auth.v3.Authorization'

/** The folder that our protos are imported from. */
export const protoFolder = join(packageRoot, 'ext-authz', 'proto')

export type AuthorizationDefinition = ServiceDefinition & {
  readonly Check: MethodDefinition<CheckRequest, CheckResponse, CheckRequest, CheckResponse>
}

/** Reads the protos from the disk; once, at start. */
export function loadAuthorization(): AuthorizationDefinition {
  const loaded = loadSync('envoy/service/auth/v3/external_auth.proto', { includeDirs: [protoFolder], longs: Number })
  return loaded[AUTHORIZATION] as AuthorizationDefinition
}

/** The same, answering by our own encoder. */
export function servedAuthorization(): AuthorizationDefinition {
  const definition = loadAuthorization()
  const Check: AuthorizationDefinition['Check'] = { ...definition.Check, responseSerialize: encodeResponse }
  return Object.assign({ ...definition }, { Check })
}
