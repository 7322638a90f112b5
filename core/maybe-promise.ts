/**
 * An answer that is there at once when all it needs is in memory, and a promise only when something must be waited for.
 */
export type MaybePromise<T> = T | Promise<T>

/** Goes on with `value`: in the same tick when it is there, later when it is a promise. */
export function after<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Does `end` once the work is over, also where it throws or rejects. */
export function lastly<T>(work: () => MaybePromise<T>, end: () => void): MaybePromise<T> {
  let isLater = false
  try {
    const value = work()
    isLater = value instanceof Promise
    return value instanceof Promise ? value.finally(end) : value
  } finally {
    if (!isLater) end()
  }
}
