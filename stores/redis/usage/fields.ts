/** How a line of usage is named in a hash: credential and route with their lengths in front, then the outcome. */

export interface LineName {
  readonly credential: string
  readonly route: string
  readonly outcome: string
}

/** A part of a field's name, so that no text can end it early or begin another. */
export function fieldPart(text: string): string {
  return `${text.length}:${text}`
}

/** The line of a field; undefined where it is none. */
export function lineIn(field: string): LineName | undefined {
  const credential = partAt(field, 0)
  const route = credential && partAt(field, credential.end)
  if (!credential || !route) return undefined
  return { credential: credential.text, route: route.text, outcome: field.slice(route.end) }
}

function partAt(field: string, from: number): { readonly text: string; readonly end: number } | undefined {
  const colon = field.indexOf(':', from)
  const digits = field.slice(from, colon)
  if (colon === -1 || !/^\d{1,4}$/.test(digits)) return undefined
  const end = colon + 1 + Number(digits)
  return end > field.length ? undefined : { text: field.slice(colon + 1, end), end }
}
