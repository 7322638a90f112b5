/** What a store does not answer is told to the client as that, and is no fault of ours. */
import type { MaybePromise } from '../core/maybe-promise.ts'

/** What a store says to nobody now; the client is told so, and no more. */
export class StoreAway extends Error {
  constructor(cause?: unknown) {
    super('The store does not answer; nothing was changed.', { cause })
  }
}

/** The answer of a store; rejects with `StoreAway` where it rejects. */
export async function answered<T>(answer: MaybePromise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw new StoreAway(cause)
  }
}
