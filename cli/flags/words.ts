/** How the verbs of `flags` word things. */

/** RFC 3339 without the fraction of a second that is none. */
export function shortInstant(text: string): string {
  return text.replace('.000Z', 'Z')
}
