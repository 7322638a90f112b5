/** What comes in on a connection: chunks in their order, as frames. */
import { createFrameReader, type FrameLimits, type FrameListener } from './frames.ts'

export interface IntakeParts {
  readonly limits: FrameLimits
  readonly listener: FrameListener
  /** Whether what is read now may be older than the word that its sender has gone. */
  readonly hasHalted: () => boolean
  /** Told when the bytes that have come end within a frame, and when they do no more. */
  readonly onIncomplete: (isIncomplete: boolean) => void
}

/** Takes chunks. After a halt they wait: that their sender has gone may be seen in the next turn of the event loop only. */
export function createIntake({ limits, listener, hasHalted, onIncomplete }: IntakeParts): (chunk: Buffer) => void {
  const reader = createFrameReader(limits, listener)
  let wasWithin = false
  /** Chunks that wait. */
  let heldBack = 0

  function read(chunk: Buffer): void {
    reader.push(chunk)
    if (reader.isWithin === wasWithin) return
    wasWithin = reader.isWithin
    onIncomplete(wasWithin)
  }

  return (chunk) => {
    if (heldBack === 0 && !hasHalted()) {
      read(chunk)
      return
    }
    heldBack += 1
    setImmediate(setImmediate, () => {
      heldBack -= 1
      read(chunk)
    })
  }
}
