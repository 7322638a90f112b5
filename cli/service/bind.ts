/** Binds a server to an address: a stale socket file gives way, a live one is only taken over by those who ask for it. */
import { chmodSync, linkSync, lstatSync, renameSync, rmSync, type Stats, statSync } from 'node:fs'
import { type AddressInfo, connect, type Server } from 'node:net'
import { basename, dirname, join } from 'node:path'
import type { ListenAddress } from './listen-address.ts'

/** Its owner and its group may call; nobody else. */
const SOCKET_MODE = 0o660

export interface Bound {
  /** As the command line would write it, with the port that it became. */
  readonly address: string
  /** Whether another process was serving there until now. */
  readonly tookOver: boolean
  /** Whether another process's socket, or another file, stands at the path now: what connects there comes to us no more. */
  isReplaced(): boolean
  /** Accepts no more connections, and removes the socket file if it is still ours. Open connections stay. */
  close(): void
}

export type BindResult = { readonly ok: true; readonly bound: Bound } | { readonly ok: false; readonly problem: string }

const problem = (text: string): BindResult => ({ ok: false, problem: text })

export interface BindOptions {
  /** Whether a Unix socket on which another process serves becomes ours: it keeps its connections, and gets no new ones. */
  readonly takeOver?: boolean
}

/** Binds `server`. A path or port that cannot be had is a problem, told in words. */
export function bind(server: Server, address: ListenAddress, options: BindOptions = {}): Promise<BindResult> {
  return address.kind === 'tcp' ? bindTcp(server, address) : bindUnix(server, address.path, options)
}

async function bindTcp(server: Server, { host, port }: { host: string; port: number }): Promise<BindResult> {
  const shown = (at: number) => (host.includes(':') ? `[${host}]:${at}` : `${host}:${at}`)
  const failure = await listening(server, { host, port })
  if (failure !== undefined) return problem(explained(shown(port), failure))
  const { port: actual } = server.address() as AddressInfo
  const close = () => void server.close()
  return { ok: true, bound: { address: shown(actual), tookOver: false, isReplaced: () => false, close } }
}

/**
 * Binds under a name of our own and renames it over the path, so that at no moment the path leads nowhere, and the mode is
 * right before anyone can connect.
 */
async function bindUnix(server: Server, path: string, { takeOver = false }: BindOptions): Promise<BindResult> {
  // listening there would fail too, but be called a matter of permission
  const fault = folderFault(dirname(path))
  if (fault !== undefined) return problem(`unix:${path}: ${MEANINGS[fault] ?? fault}`)
  const inTheWay = await occupant(path)
  if (inTheWay === 'a file') return problem(`unix:${path}: there is a file of another kind; ${REMOVE_IT}`)
  const isTaken = inTheWay === 'a server'
  if (isTaken && !takeOver) return problem(`unix:${path}: another process is serving on it, ${STOP_IT}`)
  const own = join(dirname(path), `.${basename(path)}.${process.pid}`)
  rmSync(own, { force: true })
  const failure = await listening(server, { path: own })
  if (failure !== undefined) return problem(explained(`unix:${path}`, failure))
  chmodSync(own, SOCKET_MODE)
  const ours = statSync(own)
  try {
    // a link is made only where nothing is: of two that start at once on a free path one is told
    if (!takeOver && lookAt(path) === undefined) linkSync(own, path)
    else renameSync(own, path)
  } catch (error) {
    server.close()
    return problem(explained(`unix:${path}`, error as NodeJS.ErrnoException))
  } finally {
    rmSync(own, { force: true })
  }
  const close = () => {
    if (isSameFile(lookAt(path), ours)) rmSync(path, { force: true })
    server.close()
  }
  const isReplaced = () => {
    const there = lookAt(path)
    return there !== undefined && !isSameFile(there, ours)
  }
  return { ok: true, bound: { address: `unix:${path}`, tookOver: isTaken, isReplaced, close } }
}

/** Why nothing can stand in a folder, as the system's code for it; undefined where it is one that may be entered. */
function folderFault(folder: string): string | undefined {
  try {
    return statSync(join(folder, '.')).isDirectory() ? undefined : 'ENOTDIR'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

const REMOVE_IT = 'remove it, or choose another path'
const STOP_IT =
  'and its socket is not taken from it; stop that process first ' +
  '(SIGTERM: it gives the path free at once and finishes its calls), or choose another path'

/** What stands at the path; undefined when it is free, or a socket on which nobody answers. */
async function occupant(path: string): Promise<'a file' | 'a server' | undefined> {
  const there = lookAt(path)
  if (there === undefined) return undefined
  if (!there.isSocket()) return 'a file'
  return (await answers(path)) ? 'a server' : undefined
}

/** Whether someone accepts connections there. What cannot be asked (no permission) counts as alive. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => resolve(true))
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(!['ECONNREFUSED', 'ENOENT'].includes(error.code ?? '')),
    )
    probe.once('connect', () => probe.destroy())
  })
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

function isSameFile(one: Stats | undefined, other: Stats): boolean {
  return one !== undefined && one.dev === other.dev && one.ino === other.ino
}

function listening(
  server: Server,
  where: { path: string } | { host: string; port: number },
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve)
    server.listen({ ...where, exclusive: true }, () => {
      server.removeListener('error', resolve)
      // a connection that could not be accepted (too many open files) is lost, and nothing else
      server.on('error', () => {})
      resolve(undefined)
    })
  })
}

const MEANINGS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there; stop it, or choose another address',
  EEXIST: 'another process has begun to listen there just now',
  EACCES: 'this user may not listen there',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'what should be its folder is a file',
  EADDRNOTAVAIL: 'this machine has no such address',
}

function explained(address: string, error: NodeJS.ErrnoException): string {
  return `${address}: ${MEANINGS[error.code ?? ''] ?? error.message}`
}
