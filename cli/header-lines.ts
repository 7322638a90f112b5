/** Headers as options say them: `-H 'name: value'`, as often as one likes. */
import { joinedHeaders } from '../admin/joined-headers.ts'

export const HEADER_SPECS = { header: { type: 'string', multiple: true, short: 'H' } } as const

/** `recorded` come first. A text says what is wrong. */
export function headersIn(
  lines: readonly string[] = [],
  recorded: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> | string {
  const all = [...Object.entries(recorded), ...lines.map(splitHeader)]
  return all.some(([name]) => name === '') ? "a header is written -H 'name: value'" : joinedHeaders(all)
}

function splitHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, Math.max(colon, 0)).trim(), line.slice(colon + 1).trim()]
}
