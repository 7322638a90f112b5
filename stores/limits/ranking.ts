/** Who holds most, known at every moment: whatever is ranked changes its size by small steps, and is never searched for. */

/** What can be ranked. Both numbers belong to its ranking. */
export interface Ranked {
  size: number
  /** Where it stands among those of its size. */
  place: number
}

export interface Ranking<T extends Ranked> {
  /** Of a size of 0 it leaves the ranking. Costs as many steps as the size of the largest falls, mostly one. */
  resize(item: T, size: number): void
  /** Any of the largest, where several are equally large; undefined where there is none. */
  largest(): T | undefined
}

export function createRanking<T extends Ranked>(): Ranking<T> {
  /** No list in it is empty. */
  const bySize = new Map<number, T[]>()
  let most = 0

  function leave(item: T): void {
    const peers = bySize.get(item.size)
    const last = peers?.pop()
    if (!peers || !last) return
    if (last !== item) {
      peers[item.place] = last
      last.place = item.place
    }
    if (peers.length === 0) bySize.delete(item.size)
  }

  function join(item: T): void {
    const peers = bySize.get(item.size)
    item.place = peers?.length ?? 0
    if (peers) peers.push(item)
    else bySize.set(item.size, [item])
  }

  return {
    resize(item, size) {
      if (item.size > 0) leave(item)
      item.size = size
      if (size > 0) join(item)
      most = Math.max(most, size)
      while (most > 0 && !bySize.has(most)) most -= 1
    },
    largest: () => bySize.get(most)?.at(-1),
  }
}
