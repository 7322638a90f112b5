/** Waiting that has an end. */

/** Settles when `work` has, or after so many ms; never rejects. Its timer keeps the process alive, since somebody waits. */
export function within(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    work.then(end, end)
  })
}
