/** How a value stands in a trusted header. */

/** Visible ASCII with spaces inside: every server reads it the same. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const MOST_BYTES = 1024

/** Undefined for what is not fit for a header. A list whose entry has a comma would be read as another list. */
export function headerValue(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = Array.isArray(value) ? joined(value) : value
  return typeof text === 'string' && text.length <= MOST_BYTES && VALUE.test(text) ? text : undefined
}

function joined(list: readonly unknown[]): string | undefined {
  const isEntry = (entry: unknown) => typeof entry === 'string' && VALUE.test(entry) && !entry.includes(',')
  return list.every(isEntry) ? list.join(',') : undefined
}
