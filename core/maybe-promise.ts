/** An answer that is there at once when all it needs is in memory, and a promise only when something must be waited for. */
export type MaybePromise<T> = T | Promise<T>

/** Goes on with `value`: in the same tick when it is there, later when it is a promise. */
export function after<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
