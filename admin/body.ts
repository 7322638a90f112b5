/** Reads the body of a request within bounds, as the JSON that a schema wants and nothing besides. */
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { maskSecrets } from '../core/mask-secrets.ts'
import { type Problem, problem } from './answer.ts'

const MOST_BYTES = 64 * 1024

const JSON_TYPE = /^application\/json(?:; *charset=(?:utf-8|"utf-8"))?$/i

type Read<T> = { readonly ok: true; readonly value: T } | Problem

/** The parsed body. Rejects when the client goes away meanwhile. */
export async function readBody<T extends z.ZodType>(request: IncomingMessage, schema: T): Promise<Read<z.output<T>>> {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = request.headers
  // a form or a text is what a page of another origin can send unasked
  if (!JSON_TYPE.test(type ?? '') || encoding !== undefined) {
    return problem('unsupported_media_type', 'The body is application/json, without content-encoding.')
  }
  const bytes = Number(length ?? 0) > MOST_BYTES ? undefined : await bytesOf(request)
  if (bytes === undefined) return problem('too_large', `A body has ${MOST_BYTES} bytes at most.`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return problem('malformed', 'The body is not JSON.')
  }
  return readValue(value, schema)
}

/** A value that the schema wants. What is wrong is told by its place; values are not repeated. */
export function readValue<T extends z.ZodType>(value: unknown, schema: T): Read<z.output<T>> {
  const read = schema.safeParse(value)
  if (read.success) return { ok: true, value: read.data }
  const faults = read.error.issues
    .slice(0, 5)
    .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
  // names are repeated, and a credential may have been pasted where a name belongs
  return problem('malformed', maskSecrets(faults.join('; ')))
}

/** Undefined when there are too many of them. */
async function bytesOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // left open when we have seen enough, so that the client is told
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
