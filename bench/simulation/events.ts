/** What is to happen later in a simulation: in the order of time, at one time in the order in which it was put in. */

export interface Events {
  /** When the next happens; infinity where nothing does. */
  readonly nextAt: number
  at(time: number, happen: (time: number) => void): void
  /** Lets the next one happen. */
  step(): void
}

interface Event {
  readonly time: number
  readonly order: number
  readonly happen: (time: number) => void
}

/** A binary heap. */
export function createEvents(): Events {
  const heap: Event[] = []
  let order = 0

  function swap(one: number, other: number): void {
    const [a, b] = [heap[one], heap[other]]
    if (a && b) [heap[one], heap[other]] = [b, a]
  }

  function rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!isBefore(heap[at], heap[parent])) return
      swap(at, parent)
      at = parent
    }
  }

  function sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left
      if (!isBefore(heap[least], heap[at])) return
      swap(at, least)
      at = least
    }
  }

  return {
    get nextAt() {
      return heap[0]?.time ?? Number.POSITIVE_INFINITY
    },
    at(time, happen) {
      heap.push({ time, order, happen })
      order += 1
      rise(heap.length - 1)
    },
    step() {
      const first = heap[0]
      if (!first) return
      swap(0, heap.length - 1)
      heap.pop()
      sink()
      first.happen(first.time)
    },
  }
}

function isBefore(one: Event | undefined, other: Event | undefined): boolean {
  if (!one || !other) return false
  return one.time < other.time || (one.time === other.time && one.order < other.order)
}
