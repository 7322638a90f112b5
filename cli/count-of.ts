/** Numbers of things, in words. */

/** `1 tenant`, `2 tenants`. */
export function countOf(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
