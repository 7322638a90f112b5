/** Envoy's side, played: the Check that Envoy would send, through the real codec and our adapter, and what it makes of the answer. */
import { createCheck } from '../../ext-authz/check.ts'
import { encodeResponse } from '../../ext-authz/encode-response.ts'
import type { CheckRequest, CheckResponse, HeaderValueOption, ValueMessage } from '../../ext-authz/messages.ts'
import { loadAuthorization } from '../../ext-authz/service.ts'
import type { Fields } from '../kong/harness/lua-host.ts'
import { hostOfTarget, pathOfTarget } from './oracle.ts'
import { createBrain, type FuzzedGateway, type Outcome } from './outcome.ts'
import { type FuzzRequest, textOf } from './request.ts'
import type { World } from './world.ts'

const { Check } = loadAuthorization()

/** What Envoy does to a host name before it asks, where its configuration says so; byte for byte by default. */
export type TidyHost = (host: string) => string

/** Our reference configuration: `strip_any_host_port` and `strip_trailing_host_dot`. */
export const asReference: TidyHost = (host) => host.replace(/:\d+$/, '').replace(/\.$/, '')

export function createEnvoyAdapter(world: World, tidyHost: TidyHost = (host) => host): FuzzedGateway {
  const brain = createBrain(world)
  const check = createCheck(brain.decide)
  return {
    name: 'envoy',
    reset: brain.reset,
    async send(request) {
      const asked = Check.requestDeserialize(Check.requestSerialize(checkOf(request, tidyHost)))
      const answered = Check.responseDeserialize(encodeResponse(await check(asked)))
      const decision = brain.take()
      return { ...outcomeOf(request, answered), ...(decision && { decision }) }
    },
  }
}

/** Envoy tells names in lower case, repeats joined, and the host apart; it takes an absolute target to pieces. */
function checkOf(
  { method, target, fields, from, certificate, verified }: FuzzRequest,
  tidyHost: TidyHost,
): CheckRequest {
  const path = textOf(pathOfTarget(target))
  const headers = new Map<string, string>([
    [':method', method],
    [':path', path],
  ])
  for (const [name, value] of fields) {
    const key = name.toLowerCase() === 'host' ? ':authority' : name.toLowerCase()
    const before = headers.get(key)
    const text = textOf(value.trim())
    headers.set(key, before === undefined ? text : `${before},${text}`)
  }
  const host = tidyHost(hostOfTarget(target) ?? headers.get(':authority') ?? '')
  // as properties of its own, whatever they are called
  const http = { id: '1', method, host, path, headers: Object.fromEntries(headers) }
  const source = {
    address: { socketAddress: { address: from } },
    ...(certificate && { principal: 'CN=whoever', certificate: encodeURIComponent(certificate.pem) }),
  }
  // jwt_authn's `payload_in_metadata`
  const written = verified && { 'envoy.filters.http.jwt_authn': { fields: { payload: messageOf(verified.claims) } } }
  return { attributes: { source, request: { http }, ...(written && { metadataContext: { filterMetadata: written } }) } }
}

/** As google.protobuf.Value. */
function messageOf(value: unknown): ValueMessage {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'number') return { numberValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (Array.isArray(value)) return { listValue: { values: value.map(messageOf) } }
  if (typeof value !== 'object' || value === null) return { nullValue: 0 }
  return {
    structValue: { fields: Object.fromEntries(Object.entries(value).map(([name, own]) => [name, messageOf(own)])) },
  }
}

function outcomeOf({ fields }: FuzzRequest, { okResponse, deniedResponse }: CheckResponse): Outcome {
  if (okResponse) {
    const answer = entriesOf(okResponse.responseHeadersToAdd)
    return { status: 200, answer, body: '', backend: sentOn(fields, okResponse) }
  }
  const { status, headers = [], body = '' } = deniedResponse ?? {}
  return { status: status?.code ?? 0, answer: entriesOf(headers), body }
}

/**
 * Envoy removes after it has set, but never what it has set; each by its exact name but for case. The virtual host removes what is
 * for its routes.
 */
function sentOn(
  fields: Fields,
  { headers = [], headersToRemove = [] }: NonNullable<CheckResponse['okResponse']>,
): Fields {
  const set = entriesOf(headers)
  const gone = new Set([...headersToRemove, ...Object.keys(set)])
  const kept = fields
    .filter(([name]) => !gone.has(name.toLowerCase()))
    .map(([name, value]) => [name, textOf(value)] as const)
  const { 'x-tenantgate-fallback': _, ...told } = set
  return [...kept, ...Object.entries(told)]
}

function entriesOf(options: readonly HeaderValueOption[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((options ?? []).map(({ header }) => [header.key.toLowerCase(), header.value]))
}
