/** Kong's framing: a length of four bytes, little-endian, and as many bytes. Chunks come cut and joined as the socket likes. */

const LENGTH_BYTES = 4

export interface FrameLimits {
  /** A frame of more bytes than this is skipped and told as too large; asked when its length has come. */
  readonly largestFrame: () => number
  /** A length above this is no length: the framing is lost. */
  readonly largestSkipped: number
}

export interface FrameListener {
  /** The bytes are valid during the call. */
  onFrame(frame: Buffer): void
  /** Told when its length has come; its bytes are skipped as they come. */
  onTooLarge(bytes: number): void
  /** Nothing after this can be read. */
  onUnreadable(): void
}

export interface FrameReader {
  push(chunk: Buffer): void
  /** Whether a frame has begun whose end has not come. */
  readonly isWithin: boolean
}

/** What a frame in pieces gets at first, however long it says that it will be. */
const FIRST_BYTES = 4096

/**
 * Reads frames from chunks. A frame that lies within one chunk is not copied. One that does not is given room as it comes, at
 * most twice what has come: a length alone, which costs its sender four bytes, takes no memory.
 */
export function createFrameReader(limits: FrameLimits, listener: FrameListener): FrameReader {
  const header = Buffer.alloc(LENGTH_BYTES)
  let headerBytes = 0
  let skipping = 0
  const pieces = createPieces(listener.onFrame)
  let isLost = false

  /** Takes the length at `at`, whole or a piece of it; where its frame begins, undefined when more must come. */
  function takeLength(chunk: Buffer, at: number): number | undefined {
    const taken = Math.min(LENGTH_BYTES - headerBytes, chunk.length - at)
    chunk.copy(header, headerBytes, at, at + taken)
    headerBytes += taken
    if (headerBytes < LENGTH_BYTES) return undefined
    headerBytes = 0
    return at + taken
  }

  function skip(chunk: Buffer, at: number): number {
    const skipped = Math.min(skipping, chunk.length - at)
    skipping -= skipped
    return at + skipped
  }

  /** Begins the frame whose length has just been read; where to go on. */
  function begin(length: number, chunk: Buffer, at: number): number {
    if (length > limits.largestSkipped) {
      isLost = true
      listener.onUnreadable()
      return chunk.length
    }
    if (length > limits.largestFrame()) {
      skipping = length
      listener.onTooLarge(length)
      return at
    }
    if (chunk.length - at < length) {
      pieces.begin(length)
      return at
    }
    listener.onFrame(chunk.subarray(at, at + length))
    return at + length
  }

  return {
    get isWithin() {
      return !isLost && (headerBytes > 0 || skipping > 0 || pieces.isBegun)
    },
    push(chunk) {
      let at = 0
      while (at < chunk.length && !isLost) {
        if (skipping > 0) at = skip(chunk, at)
        else if (pieces.isBegun) at = pieces.take(chunk, at)
        else {
          const start = takeLength(chunk, at)
          if (start === undefined) return
          at = begin(header.readUInt32LE(0), chunk, start)
        }
      }
    },
  }
}

interface Pieces {
  /** A frame of so many bytes, of which none has come. */
  begin(bytes: number): void
  readonly isBegun: boolean
  /** Takes what belongs to the frame from `at` on; where it ends in the chunk. */
  take(chunk: Buffer, at: number): number
}

/** A frame whose bytes come in several chunks. */
function createPieces(onFrame: (frame: Buffer) => void): Pieces {
  let frame: Buffer | undefined
  let bytes = 0
  let filled = 0

  function withRoomFor(needed: number, begun: Buffer): Buffer {
    if (needed <= begun.length) return begun
    const larger = Buffer.allocUnsafe(Math.min(bytes, Math.max(needed, 2 * begun.length)))
    begun.copy(larger, 0, 0, filled)
    return larger
  }

  return {
    begin(length) {
      frame = Buffer.allocUnsafe(Math.min(length, FIRST_BYTES))
      bytes = length
    },
    get isBegun() {
      return frame !== undefined
    },
    take(chunk, at) {
      if (frame === undefined) return at
      const needed = Math.min(bytes, filled + chunk.length - at)
      const into = withRoomFor(needed, frame)
      const taken = chunk.copy(into, filled, at, at + needed - filled)
      filled = needed
      if (filled < bytes) frame = into
      else {
        frame = undefined
        filled = 0
        onFrame(into.subarray(0, bytes))
      }
      return at + taken
    },
  }
}

/** Several payloads as frames in one buffer, to be sent at once. */
export function framed(...payloads: readonly Uint8Array[]): Buffer {
  let total = 0
  for (const payload of payloads) total += LENGTH_BYTES + payload.length
  const bytes = Buffer.allocUnsafe(total)
  let at = 0
  for (const payload of payloads) {
    at = bytes.writeUInt32LE(payload.length, at)
    bytes.set(payload, at)
    at += payload.length
  }
  return bytes
}
