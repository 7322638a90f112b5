/** Chance that can be repeated: the same seed brings the same numbers on every machine. */

export interface Chance {
  /** At least 0, below 1. */
  next(): number
  /** A whole number, at least 0 and below `end`. */
  below(end: number): number
  /** Distances of what happens independently of each other: `mean` on average. */
  gap(mean: number): number
}

/** A counter in steps of Weyl, mixed as in MurmurHash3's last step: good for simulations, for nothing else. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
  return {
    next,
    below: (end) => Math.floor(next() * end),
    gap: (mean) => -Math.log(1 - next()) * mean,
  }
}
