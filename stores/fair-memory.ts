/**
 * Entries by key, bounded in bytes, of many owners: when all together are too many, the owner that holds the most gives way. An
 * owner with a flood of entries so pushes out its own and nobody else's, which no cache from a library does.
 */
export interface FairMemory<T> {
  get(key: string): T | undefined
  set(key: string, value: T): void
  delete(key: string): void
}

export interface FairBounds<T> {
  readonly bytes: number
  sizeOf(value: T): number
  ownerOf(value: T): string
}

interface Entry<T> {
  readonly value: T
  readonly size: number
  readonly shelf: Shelf<T>
  /** Whether it was asked for since it was last looked at for eviction: then it stays once more. */
  isUsed: boolean
}

/** The entries of one owner, the oldest first. */
interface Shelf<T> {
  readonly owner: string
  readonly entries: Map<string, Entry<T>>
  bytes: number
}

/** What is larger than all room is not kept. */
export function createFairMemory<T>({ bytes: most, sizeOf, ownerOf }: FairBounds<T>): FairMemory<T> {
  const index = new Map<string, Entry<T>>()
  const shelves = new Map<string, Shelf<T>>()
  let bytes = 0

  function shelfOf(owner: string): Shelf<T> {
    let shelf = shelves.get(owner)
    if (!shelf) {
      shelf = { owner, entries: new Map(), bytes: 0 }
      shelves.set(owner, shelf)
    }
    return shelf
  }

  function remove(key: string): void {
    const entry = index.get(key)
    if (!entry) return
    const { shelf, size } = entry
    index.delete(key)
    shelf.entries.delete(key)
    shelf.bytes -= size
    bytes -= size
    if (shelf.entries.size === 0) shelves.delete(shelf.owner)
  }

  /** A sixteenth at a time: finding the owner that holds the most looks at all of them. */
  function makeRoom(): void {
    while (bytes > most) thinOut(largest(shelves.values()))
  }

  function thinOut({ entries }: Shelf<T>): void {
    let left = Math.ceil(entries.size / 16)
    // whoever was used goes to the end, unused from now on, so that this ends
    for (const [key, entry] of entries) {
      if (left === 0) return
      if (entry.isUsed) {
        entry.isUsed = false
        entries.delete(key)
        entries.set(key, entry)
      } else {
        remove(key)
        left -= 1
      }
    }
  }

  return {
    get(key) {
      const entry = index.get(key)
      if (entry) entry.isUsed = true
      return entry?.value
    },
    set(key, value) {
      remove(key)
      const size = sizeOf(value)
      if (size > most) return
      const shelf = shelfOf(ownerOf(value))
      const entry = { value, size, shelf, isUsed: false }
      index.set(key, entry)
      shelf.entries.set(key, entry)
      shelf.bytes += size
      bytes += size
      makeRoom()
    },
    delete: remove,
  }
}

function largest<T>(shelves: Iterable<Shelf<T>>): Shelf<T> {
  let found: Shelf<T> | undefined
  for (const shelf of shelves) if (!found || shelf.bytes > found.bytes) found = shelf
  if (!found) throw new RangeError('there are bytes, and nobody who holds them')
  return found
}
