/** Where a listener listens: `unix:/path` or `host:port`, and which of them are allowed. */
import { isIP, isIPv4 } from 'node:net'
import { isAbsolute } from 'node:path'

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

export type ReadAddress =
  | { readonly ok: true; readonly address: ListenAddress }
  | { readonly ok: false; readonly problem: string }

/** The kernel's bound for a socket's path, less what our own name for it before the rename adds. */
const LONGEST_SOCKET_PATH = 90

const TCP = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i

const FORMS = 'write unix:/path/to.sock or 127.0.0.1:PORT'

const problem = (text: string): ReadAddress => ({ ok: false, problem: text })

/** Reads an address of a listener for this machine alone: TCP beyond loopback is refused. */
export function readListenAddress(text: string): ReadAddress {
  const read = readAddress(text)
  if (!read.ok || !isBeyondLoopback(read.address)) return read
  return problem(`${text} is beyond this machine's loopback; use a Unix socket (unix:/path) or 127.0.0.1`)
}

/** Reads an address of any host. Who listens there has a reason why that does no harm. */
export function readAddress(text: string): ReadAddress {
  return text.startsWith('unix:') ? readUnix(text.slice('unix:'.length)) : readTcp(text)
}

function readUnix(path: string): ReadAddress {
  if (!isAbsolute(path)) return problem(`unix:${path} is not an absolute path; ${FORMS}`)
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    return problem(`unix:${path} is too long for a socket (at most ${LONGEST_SOCKET_PATH} bytes)`)
  }
  return { ok: true, address: { kind: 'unix', path } }
}

function readTcp(text: string): ReadAddress {
  const [, bracketed, plain, digits] = TCP.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(digits) > 65_535) return problem(`${text} is not an address; ${FORMS}`)
  const address = host === 'localhost' ? '127.0.0.1' : host
  if (isIP(address) === 0) return problem(`${text} does not name an IP address; ${FORMS}`)
  return { ok: true, address: { kind: 'tcp', host: address, port: Number(digits) } }
}

/** Whether others than this machine's own users may connect. What is written unusually, `::ffff:127.0.0.1`, counts as beyond. */
export function isBeyondLoopback(address: ListenAddress): boolean {
  if (address.kind === 'unix') return false
  const { host } = address
  return !(isIPv4(host) && host.startsWith('127.')) && host !== '::1'
}
