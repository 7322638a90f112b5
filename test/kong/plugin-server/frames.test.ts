/** Frames come through whole, however the socket cuts and joins them; what is no frame harms nothing. */
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createFrameReader, framed } from '../../../kong/plugin-server/frames.ts'

const LIMITS = { largestFrame: () => 1000, largestSkipped: 5000 }

/** What a reader tells of these chunks. */
function read(chunks: readonly Uint8Array[]) {
  const told: string[] = []
  const reader = createFrameReader(LIMITS, {
    onFrame: (frame) => told.push(frame.toString('latin1')),
    onTooLarge: (bytes) => told.push(`too large: ${bytes}`),
    onUnreadable: () => told.push('unreadable'),
  })
  for (const chunk of chunks) reader.push(Buffer.from(chunk))
  return told
}

const length = (bytes: number) => {
  const header = Buffer.alloc(4)
  header.writeUInt32LE(bytes)
  return header
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

describe('frames', () => {
  const bytes = framed(Buffer.from('first'), Buffer.alloc(0), Buffer.from('third'))

  it('are read when they are joined in one chunk', () => {
    expect(read([bytes])).toEqual(['first', '', 'third'])
  })

  it('are read wherever they are cut in two', () => {
    for (let cut = 0; cut <= bytes.length; cut++) expect(read(cutAt(bytes, [cut]))).toEqual(['first', '', 'third'])
  })

  it('are read when each byte comes alone', () => {
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['first', '', 'third'])
  })

  it('of any content and any cuts come through as they were', () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 1000 }), { maxLength: 8 })
    fc.assert(
      fc.property(contents, fc.array(fc.nat(9000), { maxLength: 30 }), (payloads, cuts) => {
        const expected = payloads.map((payload) => Buffer.from(payload).toString('latin1'))
        expect(read(cutAt(framed(...payloads), cuts))).toEqual(expected)
      }),
    )
  })
})

describe('a frame that is too large', () => {
  it('is told when its length is there, and skipped wherever it is cut, and those behind it are read', () => {
    const bytes = Buffer.concat([length(1001), Buffer.alloc(1001, 'x'), framed(Buffer.from('next'))])
    for (let cut = 0; cut <= bytes.length; cut += 7) {
      expect(read(cutAt(bytes, [cut, cut + 1]))).toEqual(['too large: 1001', 'next'])
    }
    expect(read([length(1001)])).toEqual(['too large: 1001'])
  })

  it('is none at the limit', () => {
    expect(read([framed(Buffer.alloc(1000, 'x'))])).toEqual(['x'.repeat(1000)])
  })

  it('of a length that nothing can have ends the reading', () => {
    expect(read([length(5001), framed(Buffer.from('next'))])).toEqual(['unreadable'])
    expect(read([Buffer.concat([length(0xffffffff), framed(Buffer.from('next'))])])).toEqual(['unreadable'])
  })
})

describe('a frame in pieces', () => {
  const MEGABYTE = 1024 * 1024
  const reader = (onFrame: (frame: Buffer) => void = () => {}) =>
    createFrameReader(
      { largestFrame: () => MEGABYTE, largestSkipped: MEGABYTE },
      { onFrame, onTooLarge() {}, onUnreadable() {} },
    )

  it('takes memory for what has come, not for what its length promises', () => {
    const allocated = vi.spyOn(Buffer, 'allocUnsafe')
    onTestFinished(() => allocated.mockRestore())
    const { push } = reader()
    push(length(MEGABYTE - 1))
    push(Buffer.alloc(1000))
    expect(Math.max(...allocated.mock.calls.map(([bytes]) => bytes))).toBeLessThan(10_000)
    push(Buffer.alloc(100_000))
    expect(Math.max(...allocated.mock.calls.map(([bytes]) => bytes))).toBeLessThan(210_000)
  })

  it('that is long comes through whole, byte by byte and in growing pieces', () => {
    const payload = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251))
    const told: Buffer[] = []
    const { push } = reader((frame) => told.push(Buffer.from(frame)))
    const bytes = framed(payload, payload)
    for (let at = 0, size = 1; at < bytes.length; at += size, size = Math.min(size + 1, 900)) {
      push(bytes.subarray(at, at + size))
    }
    expect(told.map((frame) => frame.equals(payload))).toEqual([true, true])
  })

  it('is known to be incomplete, from the first byte of its length to its last', () => {
    const whole = framed(Buffer.from('abc'))
    const frames = reader()
    const within = [...whole].map((byte) => {
      frames.push(Buffer.from([byte]))
      return frames.isWithin
    })
    expect(within).toEqual([true, true, true, true, true, true, false])
  })
})

it('bytes of any kind never throw, and after an unreadable length nothing is told', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 40 }), (chunks) => {
      const told = read(chunks)
      const lost = told.indexOf('unreadable')
      if (lost !== -1) expect(lost).toBe(told.length - 1)
    }),
  )
})
