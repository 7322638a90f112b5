/** Questions that are on their way: many who ask the same at once ask once, and all together ask a bounded number. */

export interface Flights<T> {
  readonly size: number
  /** The answer that is on its way; undefined where none is. */
  join(key: string): Promise<T> | undefined
  /** Asks; `keep` is told the answer, unless it was disowned meanwhile. Undefined where too many are on their way. */
  begin(key: string, ask: () => Promise<T>, keep: (answer: T) => void): Promise<T> | undefined
  /** What is on its way was asked too early: whoever waits for it gets it, and nobody else. */
  disown(key: string): void
  disownAll(): void
}

/** `ask` must not reject. */
export function createFlights<T>(most: number): Flights<T> {
  const underWay = new Map<string, Promise<T>>()
  let size = 0
  return {
    get size() {
      return size
    },
    join: (key) => underWay.get(key),
    begin(key, ask, keep) {
      if (size >= most) return undefined
      size += 1
      const flight: Promise<T> = ask().then((answer) => {
        size -= 1
        if (underWay.get(key) === flight) {
          underWay.delete(key)
          keep(answer)
        }
        return answer
      })
      underWay.set(key, flight)
      return flight
    },
    disown: (key) => void underWay.delete(key),
    disownAll: () => underWay.clear(),
  }
}
