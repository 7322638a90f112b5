/** CheckResponse to bytes by hand: the library's way through three copies of the message costs more than the decision itself. */
import { createBackwardWriter, tagOf } from './backward-writer.ts'
import type { CheckResponse, HeaderValueOption, StructValue } from './messages.ts'

const writer = createBackwardWriter()

/** The tags, by message and field, as the protos number them. */
const TAG = {
  response: {
    status: tagOf(1, 'length'),
    denied: tagOf(2, 'length'),
    ok: tagOf(3, 'length'),
    metadata: tagOf(4, 'length'),
  },
  ok: { headers: tagOf(2, 'length'), toRemove: tagOf(5, 'length'), toClient: tagOf(6, 'length') },
  denied: { status: tagOf(1, 'length'), headers: tagOf(2, 'length'), body: tagOf(3, 'length') },
  code: tagOf(1, 'varint'),
  option: { header: tagOf(1, 'length'), appendAction: tagOf(3, 'varint') },
  entry: { key: tagOf(1, 'length'), value: tagOf(2, 'length') },
  struct: { fields: tagOf(1, 'length') },
  value: { number: tagOf(2, 'double'), text: tagOf(3, 'length') },
} as const

/** The bytes of a response, as a buffer of its own. Synchronous, and so never in the middle of another's. */
export function encodeResponse({ status, okResponse, deniedResponse, dynamicMetadata }: CheckResponse): Buffer {
  writer.begin()
  metadata(dynamicMetadata.fields)
  if (okResponse !== undefined) {
    const end = writer.open()
    headers(TAG.ok.toClient, okResponse.responseHeadersToAdd)
    const names = okResponse.headersToRemove
    for (let index = names.length - 1; index >= 0; index -= 1) writer.text(TAG.ok.toRemove, names[index] ?? '')
    headers(TAG.ok.headers, okResponse.headers)
    writer.close(TAG.response.ok, end)
  }
  if (deniedResponse !== undefined) {
    const end = writer.open()
    writer.text(TAG.denied.body, deniedResponse.body)
    headers(TAG.denied.headers, deniedResponse.headers)
    code(TAG.denied.status, deniedResponse.status.code)
    writer.close(TAG.response.denied, end)
  }
  code(TAG.response.status, status.code)
  return writer.take()
}

function code(tag: number, value: number): void {
  const end = writer.open()
  writer.integer(TAG.code, value)
  writer.close(tag, end)
}

/** From the last to the first, so that they stand in the order given. */
function headers(tag: number, options: readonly HeaderValueOption[]): void {
  for (let index = options.length - 1; index >= 0; index -= 1) {
    const option = options[index]
    if (option === undefined) continue
    const end = writer.open()
    writer.integer(TAG.option.appendAction, option.appendAction)
    const headerEnd = writer.open()
    writer.text(TAG.entry.value, option.header.value)
    writer.text(TAG.entry.key, option.header.key)
    writer.close(TAG.option.header, headerEnd)
    writer.close(tag, end)
  }
}

function metadata(fields: Readonly<Record<string, StructValue>>): void {
  const end = writer.open()
  for (const name in fields) {
    const value = fields[name]
    if (value === undefined) continue
    const entryEnd = writer.open()
    const valueEnd = writer.open()
    if ('numberValue' in value) writer.double(TAG.value.number, value.numberValue)
    else writer.text(TAG.value.text, value.stringValue)
    writer.close(TAG.entry.value, valueEnd)
    writer.text(TAG.entry.key, name)
    writer.close(TAG.struct.fields, entryEnd)
  }
  writer.close(TAG.response.metadata, end)
}
