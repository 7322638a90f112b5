/** The address of a Redis, of its sentinels or of a cluster, as people write it in one line. */
import type { RedisPlace } from '../core/policy.ts'

export type ReadRedisAddress =
  | { readonly ok: true; readonly place: RedisPlace }
  /** Worded to follow what names the address; quotes nothing of it, since a password may stand anywhere in it. */
  | { readonly ok: false; readonly problem: string }

/** What all keys begin with where nothing else is said. */
const DEFAULT_PREFIX = 'tenantgate'
/** No braces: what stands in them decides in which part of a cluster a key is. */
export const PREFIX = /^[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?$/
export const PREFIX_WORDS = 'up to 64 letters, digits, dots, colons, - and _, a letter or digit at both ends'

/** Whether somebody means a Redis and not a file: whatever else may be wrong with it. */
export const REDIS_SCHEME = /^rediss?(?:\+[a-z]*)?:/i

const ADDRESS_FORMS =
  '`redis://host:6379`, `redis+sentinel://host1:26379,host2/primary` or `redis+cluster://host1,host2`, with `rediss` for TLS'

const ADDRESS =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<login>[^@/?#]*)@)?(?<nodes>[^@/?#]+)(?<path>\/[^@?#]*)?(?:\?(?<query>[^@#]*))?$/
/** A name or an address of IPv4; of IPv6 in brackets (RFC 3986 §3.2.2). */
const NODE =
  /^(?:(?<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?\.?)|\[(?<v6>[0-9A-Fa-f:.]+)\])(?::(?<port>\d{1,5}))?$/
const DATABASE = /^(?:0|[1-9]\d{0,4})$/
const PRIMARY = /^[\w.-]{1,255}$/

const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const

type Kind = RedisPlace['kind']

/**
 * Reads `redis://host[:6379][/db]`, `redis+sentinel://h1:26379,h2/primary-name[/db]` or `redis+cluster://h1,h2`, each with
 * `rediss` for TLS, `user:password@` before the hosts (percent-encoded) and `?prefix=` at the end. Never throws.
 */
export function readRedisAddress(text: string): ReadRedisAddress {
  const parts = ADDRESS.exec(text)?.groups
  if (!parts) return no(wrongShape(text))
  const { scheme, login, nodes = '', path = '', query } = parts
  const kind: Kind = parts.kind === 'sentinel' || parts.kind === 'cluster' ? parts.kind : 'single'
  const known = nodesOf(nodes, kind)
  if (typeof known === 'string') return no(known)
  const where = whereIn(path, kind)
  if (typeof where === 'string') return no(where)
  const named = prefixOf(query)
  if (typeof named === 'string') return no(named)
  const as = loginOf(login)
  if (typeof as === 'string') return no(as)
  return { ok: true, place: { kind, nodes: known, ...where, ...named, ...as, ...(scheme === 'rediss' && { tls: {} }) } }
}

function no(problem: string): ReadRedisAddress {
  return { ok: false, problem }
}

function wrongShape(text: string): string {
  if (/^unix:|^rediss?\+unix:/i.test(text))
    return 'names a Unix socket, which is not supported yet: write `redis://host:6379`'
  if (text.includes('@')) {
    return `is not the address of a Redis; in a name or password / is written as %2F, ? as %3F, # as %23, @ as %40; the forms are ${ADDRESS_FORMS}`
  }
  return `is not the address of a Redis; the forms are ${ADDRESS_FORMS}`
}

function nodesOf(text: string, kind: Kind): RedisPlace['nodes'] | string {
  const nodes = text.split(',').map((node) => nodeOf(node, DEFAULT_PORTS[kind]))
  const known = nodes.filter((node) => node !== undefined)
  if (known.length < nodes.length)
    return 'has a host that is none; write `host` or `host:6379`, and commas between several'
  if (kind === 'single' && known.length > 1) {
    return 'names several hosts; write `redis+sentinel://…` for sentinels, or `redis+cluster://…` for a cluster'
  }
  return known
}

function nodeOf(text: string, defaultPort: number): RedisPlace['nodes'][number] | undefined {
  const { host, v6, port } = NODE.exec(text)?.groups ?? {}
  const name = host ?? v6
  const number = port === undefined ? defaultPort : Number(port)
  const isPort = number > 0 && number <= 65_535
  return name !== undefined && isPort && (v6 === undefined || URL.canParse(`http://[${v6}]`))
    ? { host: name, port: number }
    : undefined
}

/** What stands behind the hosts: the sentinels' name for the primary, the number of the database. */
function whereIn(path: string, kind: Kind): Pick<RedisPlace, 'primary' | 'database'> | string {
  const steps = path
    .split('/')
    .slice(1)
    .filter((step, index, all) => step !== '' || index < all.length - 1)
  const primary = kind === 'sentinel' ? steps.shift() : undefined
  if (kind === 'sentinel' && (primary === undefined || !PRIMARY.test(primary))) {
    return 'does not say what the sentinels call the primary; write `redis+sentinel://host1,host2/primary`'
  }
  const [database = '0', ...more] = steps
  if (more.length > 0 || !DATABASE.test(database)) return 'has a database that is none; write a number, such as `/0`'
  if (kind === 'cluster' && database !== '0') return 'names a database, and a cluster has none but 0'
  return { ...(primary !== undefined && { primary }), database: Number(database) }
}

function prefixOf(query: string | undefined): Pick<RedisPlace, 'prefix'> | string {
  const { prefix = DEFAULT_PREFIX, ...others } = Object.fromEntries(new URLSearchParams(query ?? ''))
  if (Object.keys(others).length > 0) return 'has a parameter that is not known; `?prefix=` is the only one'
  return PREFIX.test(prefix) ? { prefix } : `has a prefix that no key may begin with; write ${PREFIX_WORDS}`
}

/** RFC 3986 §3.2.1; an empty name is none, as in `:password@`. */
function loginOf(login: string | undefined): Pick<RedisPlace, 'username' | 'password'> | string {
  if (login === undefined) return {}
  const cut = login.indexOf(':')
  try {
    const username = decodeURIComponent(cut === -1 ? login : login.slice(0, cut))
    const password = cut === -1 ? '' : decodeURIComponent(login.slice(cut + 1))
    return { ...(username !== '' && { username }), ...(password !== '' && { password }) }
  } catch {
    return 'has a name or password that is not percent-encoded; % is written as %25'
  }
}
