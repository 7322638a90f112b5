/** For work that must not overlap with itself, and of which one more run serves all who asked meanwhile. */

/**
 * Runs `work` when it is called; calls that come meanwhile wait for one more run, which begins when this one has ended.
 */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  let queued: Promise<T> | undefined
  return function run(): Promise<T> {
    if (underWay) {
      queued ??= underWay.then(() => {
        queued = undefined
        return run()
      })
      return queued
    }
    underWay = work().finally(() => {
      underWay = undefined
    })
    return underWay
  }
}
