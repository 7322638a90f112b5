/** How long somebody waits for a store that another process keeps. */

/** What is answered for a store that has not answered in time. */
export const LATE = Symbol('late')

/**
 * The answer, or `LATE` once `ms` have gone by without it; rejects as the answer does. What comes later is dropped.
 *
 * Time counts from when this process has sent the question (at the end of this turn of its event loop), and before it is
 * over what has come in meanwhile is read: a process that is busy itself does not take its store for dead.
 */
export function withinBudget<T>(answer: Promise<T>, ms: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    let turn = setImmediate(() => {
      timer = setTimeout(() => {
        turn = setImmediate(() => resolve(LATE))
      }, ms)
    })
    const settled = () => {
      clearImmediate(turn)
      clearTimeout(timer)
    }
    answer.then(
      (value) => {
        settled()
        resolve(value)
      },
      (error) => {
        settled()
        reject(error)
      },
    )
  })
}
