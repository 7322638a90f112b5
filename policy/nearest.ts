/** The word somebody probably meant. */

/** Pairs of letters that one search compares: among thousands of long words those behind are not looked at. */
export const MOST_COMPARED = 250_000

/** The nearest of `words`, or undefined when none is near: up to `most` letters may differ, a third of them and at least two. */
export function nearest(
  word: string,
  words: Iterable<string>,
  most = Math.max(2, Math.floor(word.length / 3)),
): string | undefined {
  let best: string | undefined
  let least = most + 1
  let compared = 0
  for (const candidate of words) {
    if (compared > MOST_COMPARED) return best
    compared += 1
    if (Math.abs(candidate.length - word.length) >= least || isLong(word) || isLong(candidate)) continue
    compared += word.length * candidate.length
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < least && distance < candidate.length) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** One that the word may be a slip of, though it is a good word itself: at most two letters differ, and of few none. */
export function slipOf(word: string, words: Iterable<string>): string | undefined {
  return nearest(word, words, word.length < 4 ? 0 : Math.min(2, Math.floor(word.length / 3)))
}

/** Of which nothing is near. */
const isLong = (word: string): boolean => word.length > 64

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
