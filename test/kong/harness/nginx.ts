/** What happens to a request before any plugin of Kong's hears of it: what nginx and the router refuse, and what becomes of the target. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { pairs } from '../../../demo/backends.ts'
import type { Fields } from './lua-host.ts'

export interface Arrived {
  readonly method: string
  /** nginx's `$request`. */
  readonly line: string
  /** nginx's `$request_uri`: the target without the authority of an absolute one. */
  readonly target: string
  readonly fields: Fields
  readonly address: string
}

/** The largest header of the shipped kong.conf. */
const LARGEST_FIELD = 16 * 1024
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([a-z0-9._~%!$&'()*+,;=-]+|\[[0-9a-f:.]+\])(:\d*)?(?=[/?]|$)/i

/** Of these nginx takes one line only. */
const UNIQUE = ['host', 'authorization', 'content-length', 'if-modified-since', 'if-none-match', 'if-match']

/** The request, or the status that is answered without any plugin. */
export function arrived(message: IncomingMessage): Arrived | 400 | 404 | 405 {
  const { method = '', url = '', httpVersion, rawHeaders } = message
  if (method === 'TRACE') return 405
  const fields = pairs(rawHeaders)
  const linesOf = (name: string) => fields.filter(([own]) => own.toLowerCase() === name)
  if (UNIQUE.some((name) => linesOf(name).length > 1)) return 400
  const host = linesOf('host')[0]?.[1]
  if (host === undefined ? httpVersion === '1.1' : !isHost(host)) return 400
  if (fields.some(([name, value]) => name.length + value.length > LARGEST_FIELD)) return 400
  const target = url.replace(ABSOLUTE, '')
  if (!isTarget(target)) return 400
  // the router reads text
  if (!isUtf8(Buffer.from(unescaped(pathOf(target)), 'latin1'))) return 404
  const address = message.socket.remoteAddress ?? ''
  return { method, line: `${method} ${url} HTTP/${httpVersion}`, target, fields, address }
}

function isHost(host: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what it looks for
  return !/[\u0000-\u0020\u007f/]|\.\./.test(host)
}

/** nginx resolves the path, and refuses what is no escape, a NUL, and a way out of the root. */
function isTarget(target: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what it looks for
  if (!target.startsWith('/') || /[\u0000-\u0020\u007f]/.test(target)) return false
  const path = pathOf(target).split('#', 1)[0] ?? ''
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) return false
  let depth = 0
  for (const segment of path.replaceAll(/%2e/gi, '.').replaceAll(/%2f/gi, '/').split('/')) {
    if (segment === '..') depth -= 1
    else if (segment !== '.' && segment !== '') depth += 1
    if (depth < 0) return false
  }
  return true
}

/** Bytes, a character each. */
function unescaped(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? ''
}

const RESERVED = new Set("!*'();:@&=+$,/?%#[]")
const SAFE = /[^!#$&'()*+,/:;=?@[\]A-Za-z\d\-_.~%]/g

/** The target as Kong sends it on: escapes that need none are undone, and what needs one is escaped. */
export function sentTarget(target: string): string {
  const path = pathOf(target)
  const decoded = path.replaceAll(/%[0-9a-f]{2}/gi, (coded) => {
    const char = String.fromCharCode(Number.parseInt(coded.slice(1), 16))
    return RESERVED.has(char) ? coded.toUpperCase() : char
  })
  const escaped = decoded.replaceAll(
    SAFE,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
  return `${escaped}${target.slice(path.length)}`
}
