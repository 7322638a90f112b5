/** `explain` over HTTP: what the live policy would decide of a request, and why. It carries credentials: nothing of it is written down. */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { GatewayRequest } from '../core/request.ts'
import { type Answer, done } from './answer.ts'
import { joinedHeaders } from './joined-headers.ts'
import type { AdminParts } from './parts.ts'

const text = z.string().max(16_384)
const names = z.array(text).max(64).default([])

/** A request as `tenantgate explain` reads it from a file. */
export const askedRequest = z.strictObject({
  method: z.string().min(1).max(64).default('GET'),
  host: text,
  path: text,
  headers: z.record(z.string().min(1).max(256), z.string()).default({}),
  ip: z
    .string()
    .refine((address) => isIP(address) !== 0, 'is not an IP address')
    .default('127.0.0.1'),
  /** The client's, as if the gateway had verified it. */
  certificate: z
    .strictObject({ uris: names, dnsNames: names, subject: text.optional(), notAfter: z.number().optional() })
    .optional(),
})

export async function explain(asked: z.output<typeof askedRequest>, parts: AdminParts): Promise<Answer> {
  return done(200, { ...(await parts.explain(requestOf(asked))) })
}

function requestOf({ method, host, path, headers, ip, certificate }: z.output<typeof askedRequest>): GatewayRequest {
  const joined = joinedHeaders(Object.entries(headers))
  const request = { id: 'explain', method, host, path, headers: joined, clientAddress: ip }
  return certificate ? { ...request, clientCertificate: withoutUnknown(certificate) } : request
}

type Certificate = NonNullable<GatewayRequest['clientCertificate']>

function withoutUnknown({
  uris,
  dnsNames,
  subject,
  notAfter,
}: NonNullable<z.output<typeof askedRequest>['certificate']>): Certificate {
  return {
    uris,
    dnsNames,
    ...(subject !== undefined && { subject }),
    ...(notAfter !== undefined && { notAfter }),
  }
}
