/** The messages of Kong's typed protocol and the functions of its PDK, read from our own proto. */
import { join } from 'node:path'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { packageRoot } from '../../package-root.ts'

export const protoFile = join(packageRoot, 'kong', 'plugin-server', 'proto', 'plugin_server.proto')

/** proto3 leaves out what is empty or zero, so that anything here can be missing. */
export interface Call {
  readonly sequence?: number
  readonly start_instance?: { readonly name?: string; readonly config?: Buffer }
  readonly close_instance?: { readonly instance_id?: number }
  readonly handle_event?: { readonly instance_id?: number; readonly event_name?: string }
}

export interface Return {
  readonly sequence: number
  readonly instance_status?: { readonly name: string; readonly instance_id: number; readonly started_at?: number }
}

export type PdkMethod = MethodDefinition<object, object, object, object>

export interface Protocol {
  readonly handle: MethodDefinition<Call, Return, Call, Return>
  /** By the name in our proto, such as `Ctx_Shared_Get`. */
  readonly pdk: Readonly<Record<string, PdkMethod>>
}

/** Reads the proto from the disk; once, at start. */
export function loadProtocol(): Protocol {
  const loaded = loadSync(protoFile, { keepCase: true, longs: Number })
  const server = loaded['tenantgate.kong.PluginServer'] as ServiceDefinition
  return {
    handle: server.Handle as unknown as Protocol['handle'],
    pdk: loaded['tenantgate.kong.Pdk'] as Protocol['pdk'],
  }
}

/** `Service_Request_SetHeaders` → `kong.service.request.set_headers`: how Kong names a function on the wire. */
export function wireName(name: string): string {
  const spaced = name.replaceAll('_', '.').replace(/([a-z]\d*)([A-Z])/g, '$1_$2')
  return `kong.${spaced.toLowerCase()}`
}

/** The name of a message type, such as `Text` or `Struct`. */
export function typeNames(method: PdkMethod): { readonly asks: string; readonly answers: string } {
  const nameOf = (type: unknown) => (type as { readonly name: string }).name
  return { asks: nameOf(method.requestType.type), answers: nameOf(method.responseType.type) }
}
