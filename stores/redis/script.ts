/** Lua files of this folder as functions. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../package-root.ts'
import type { RedisConnection } from './connection.ts'
import { storeFailure } from './failure.ts'

/**
 * One atomic step in Redis; all keys have one slot. Rejects at once where the connection is down, and with a `storeFailure` where
 * the server does not do it.
 */
export type Script<T> = (
  connection: RedisConnection,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
) => Promise<T>

/**
 * The files, paths below `stores/redis`, run as one, those first that the others build on. `read` makes the answer of what Lua
 * returns; strings in that come as text or as bytes.
 */
export function script<T>(
  files: readonly string[],
  read: (reply: unknown) => T,
  as: 'text' | 'bytes' = 'text',
): Script<T> {
  const text = files.map((file) => readFileSync(join(packageRoot, 'stores', 'redis', file), 'utf8')).join('\n')
  // what EVALSHA wants: a name for the text, not a protection
  const name = hash('sha1', text)
  return async ({ client, isUp }, keys, args) => {
    if (!isUp()) throw storeFailure(new Error('not connected'))
    try {
      return read(await callable(client)[SENT[as].known](name, keys.length, ...keys, ...args))
    } catch (error) {
      if (!isUnknownScript(error)) throw storeFailure(error)
    }
    // a server that was started anew, a replica that took over, or SCRIPT FLUSH: nothing was done yet
    try {
      return read(await callable(client)[SENT[as].unknown](text, keys.length, ...keys, ...args))
    } catch (error) {
      throw storeFailure(error)
    }
  }
}

type Call = (script: string, keys: number, ...rest: readonly (string | number | Buffer)[]) => Promise<unknown>
type Callable = Record<'evalsha' | 'eval' | 'evalshaBuffer' | 'evalBuffer', Call>

/** The library has all of them; its types lack those that answer bytes. */
const callable = (client: RedisConnection['client']): Callable => client as unknown as Callable

const SENT = {
  text: { known: 'evalsha', unknown: 'eval' },
  bytes: { known: 'evalshaBuffer', unknown: 'evalBuffer' },
} as const

const isUnknownScript = (error: unknown) => error instanceof Error && error.message.startsWith('NOSCRIPT')
