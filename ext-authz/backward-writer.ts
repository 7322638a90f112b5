/**
 * Writes protobuf from the end to the front: a message's length is known once its content stands, so that nothing is measured
 * first or copied after. The last field comes first.
 */

export interface BackwardWriter {
  /** Forgets what was written: a message that could not be finished leaves nothing to the next. */
  begin(): void
  /** A `string` field; `tag` is the field's number and wire type, as one byte. */
  text(tag: number, value: string): void
  /** An `int32` or `enum` field that is not negative. */
  integer(tag: number, value: number): void
  double(tag: number, value: number): void
  /** Where a message that is written next will end; for `close`. */
  open(): number
  /** Puts length and tag before what was written since `open`. */
  close(tag: number, end: number): void
  /** A copy of all that was written since `begin`. */
  take(): Buffer
}

/** The tags of this schema are all below 16 in number, so that each is one byte (protobuf encoding, "Message Structure"). */
export const tagOf = (field: number, wire: 'varint' | 'double' | 'length'): number =>
  (field << 3) | { varint: 0, double: 1, length: 2 }[wire]

/** UTF-8 takes at most three bytes for a unit of UTF-16; a length or a number at most five, a tag one. */
const MOST_BYTES_PER_UNIT = 3
const LONGEST_PREFIX = 6

/** Beyond this a fresh start is cheaper than keeping the memory of one long answer. */
const KEPT_BYTES = 64 * 1024

export function createBackwardWriter(initialBytes = 4096): BackwardWriter {
  let buffer = Buffer.allocUnsafeSlow(initialBytes)
  let at = buffer.length

  function makeRoom(bytes: number): void {
    if (at >= bytes) return
    const written = buffer.length - at
    const larger = Buffer.allocUnsafeSlow(2 * (written + bytes) + initialBytes)
    buffer.copy(larger, larger.length - written, at)
    at = larger.length - written
    buffer = larger
  }

  function byte(value: number): void {
    at -= 1
    buffer[at] = value
  }

  function varint(value: number): void {
    if (value < 0x80) byte(value)
    else at = writeVarint(buffer, at, value)
  }

  return {
    begin() {
      if (buffer.length > KEPT_BYTES) buffer = Buffer.allocUnsafeSlow(initialBytes)
      at = buffer.length
    },
    text(tag, value) {
      makeRoom(value.length * MOST_BYTES_PER_UNIT + LONGEST_PREFIX)
      const end = at
      at = writeAscii(buffer, end, value) ?? writeUtf8(buffer, end, value)
      varint(end - at)
      byte(tag)
    },
    integer(tag, value) {
      makeRoom(LONGEST_PREFIX)
      varint(value)
      byte(tag)
    },
    double(tag, value) {
      makeRoom(9)
      at -= 8
      buffer.writeDoubleLE(value, at)
      byte(tag)
    },
    open: () => buffer.length - at,
    close(tag, end) {
      makeRoom(LONGEST_PREFIX)
      varint(buffer.length - at - end)
      byte(tag)
    },
    take: () => Buffer.from(buffer.subarray(at)),
  }
}

/** Seven bits a byte, the lowest first, all but the last marked. Writes before `end`; where it begins. */
function writeVarint(buffer: Buffer, end: number, value: number): number {
  const start = end - varintBytes(value)
  let at = start
  let rest = value
  while (rest >= 0x80) {
    buffer[at] = (rest & 0x7f) | 0x80
    rest >>>= 7
    at += 1
  }
  buffer[at] = rest
  return start
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes += 1
  return bytes
}

/** Byte by byte, which is faster than a call out of JavaScript for texts as short as ours; undefined where one is beyond ASCII. */
function writeAscii(buffer: Buffer, end: number, value: string): number | undefined {
  let at = end
  for (let index = value.length - 1; index >= 0; index -= 1) {
    const unit = value.charCodeAt(index)
    if (unit > 0x7f) return undefined
    at -= 1
    buffer[at] = unit
  }
  return at
}

function writeUtf8(buffer: Buffer, end: number, value: string): number {
  const start = end - Buffer.byteLength(value)
  buffer.write(value, start)
  return start
}
