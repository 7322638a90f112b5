/** One command's dealings with a Redis: connect, do it, let go; what fails is told in words. */
import type { RedisPlace } from '../core/policy.ts'
import { openRedis, type RedisConnection } from '../stores/redis/connection.ts'

export type InRedis<T> =
  | { readonly ok: true; readonly value: T }
  /** With the place, and never with a credential. */
  | { readonly ok: false; readonly problem: string }

/** Names are looked up, and sentinels asked, one after the other. */
const CONNECT_MS = 10_000

/** Runs `work` on a connection of its own. Rejects only where we are broken. */
export async function inRedis<T>(
  place: RedisPlace,
  work: (connection: RedisConnection) => Promise<T>,
): Promise<InRedis<T>> {
  const no = (why: string): InRedis<T> => ({ ok: false, problem: redisWords(place, why) })
  const opened = await open(place)
  try {
    if (opened.why !== undefined) return no(opened.why)
    return { ok: true, value: await work(opened.connection) }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Redis: ')) return no(error.message)
    throw error
  } finally {
    await opened.connection.close()
  }
}

function open(place: RedisPlace): Promise<{ readonly connection: RedisConnection; readonly why?: string }> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve({ connection, why: 'ETIMEDOUT' }), CONNECT_MS)
    const connection = openRedis(place, {
      onState(state, why = '') {
        clearTimeout(late)
        resolve({ connection, ...(state === 'down' && { why }) })
      },
    })
  })
}

/** Why a Redis has failed, for people, from what it or the system says. */
export function redisWords(place: RedisPlace, why: string): string {
  return `${addressOf(place)}: ${failureWords(why)}${place.tls && UNTOLD.test(why) ? TLS_MAY_BE : ''}`
}

/** As people write it, without what logs in. */
function addressOf({ kind, nodes, primary, tls }: RedisPlace): string {
  const scheme = `redis${tls ? 's' : ''}${kind === 'single' ? '' : `+${kind}`}`
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  return `${scheme}://${hosts.join(',')}${primary === undefined ? '' : `/${primary}`}`
}

/** By what the texts of servers and systems have in common, the first that fits. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /sentinels are unreachable.*(?:NOAUTH|WRONGPASS|AUTH)/s,
    'its sentinels want a password of their own: set TENANTGATE_REDIS_SENTINEL_PASSWORD; where a policy file names them, write `state.sentinelPassword`',
  ],
  [/WRONGPASS|invalid password/, 'refuses the name or the password'],
  [
    /NOAUTH/,
    'wants a password: give --redis-password-file FILE, or set TENANTGATE_REDIS_PASSWORD; where a policy file names it, write `state.password`',
  ],
  [/NOPERM/, 'does not let this user do that; docs/redis.md says what tenantgate needs'],
  [/READONLY/, 'is a replica, where nothing can be written: name the primary, or the sentinels that know it'],
  [/OOM/, 'has no memory left for it (maxmemory)'],
  [/MISCONF/, 'takes no writes, since it cannot save them to its disk'],
  [/LOADING/, 'is still loading its data: ask again soon'],
  [/cluster support disabled/, 'is no cluster: write redis://… (rediss://… with TLS)'],
  [/MOVED|CROSSSLOT/, 'is a node of a cluster: write redis+cluster://…'],
  [/CLUSTERDOWN|slots cache/, 'the cluster does not serve now'],
  [/All sentinels are unreachable/, 'no sentinel tells of a primary'],
  [/DB index is out of range/, 'has no database of that number'],
  [
    /self-signed|SELF_SIGNED|unable to (?:get|verify)|UNABLE_TO/,
    'its certificate is of nobody who is trusted here: give --redis-ca FILE; where a policy file names it, write `state.ca`',
  ],
  [/does not match certificate's altnames|ALTNAME/i, 'its certificate is for another name than the one in the address'],
  [
    /alert certificate required|alert bad certificate|alert handshake failure|alert unknown ca/i,
    'wants a certificate that it trusts: give --redis-certificate FILE and --redis-key FILE; where a policy file names it, write `state.certificate` and `state.key`',
  ],
  [/wrong version number|packet length too long/, 'speaks no TLS at this port: write redis://…, or the port with TLS'],
  [/ECONNREFUSED/, 'nobody listens there'],
  [/ENOTFOUND|EAI_AGAIN/, 'there is no such host'],
  [/ETIMEDOUT|timed? ?out/i, 'does not answer'],
  [/ECONNRESET|EPIPE|closed|not connected|isn't writeable/, 'the connection was lost before it had answered'],
]

/** TLS often ends a connection without a word why. */
const UNTOLD = /ECONNRESET|EPIPE|closed|not connected|isn't writeable|ETIMEDOUT|timed? ?out/i
const TLS_MAY_BE =
  '; is TLS spoken at this port, and does it want a certificate of its clients (--redis-certificate, `state.certificate`)?'

/** The same without the place; what is told in words already stays as it is. */
export function failureWords(why: string): string {
  const text = why.replace(/^Redis: /, '')
  return WORDS.find(([shape]) => shape.test(text))?.[1] ?? text
}
