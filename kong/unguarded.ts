/** A request without our guard in Kong: read and answered through the PDK, in at most nine calls with the look for a guard. */
import type { Asker, GatewayRequest } from '../core/request.ts'
import type { Caller, Mark } from './handover.ts'
import type { HeaderValue, Kong } from './pdk.ts'
import { joined, publicId, type Unreadable, waitingOf } from './read-request.ts'
import { type Refusal, undecided } from './refusal.ts'

/** Kong gives Lua this many header fields and hides the others; one more is asked for, to see that none is hidden. */
const MOST_HEADERS = 100

/** `GET /v1/orders?x=1 HTTP/1.1`: the target as it was sent, before Kong rewrites the path. */
const REQUEST_LINE = /^(\S+) (\S+) HTTP\/[\d.]+$/

/** Three calls. Its id is the client's, and empty where he sent none. */
export async function readUnguarded(kong: Kong, asker?: Asker): Promise<GatewayRequest | Unreadable> {
  const lists = await kong.request.getHeaders(MOST_HEADERS + 1)
  const line = await kong.nginx.getVar('request')
  const address = await kong.nginx.getVar('remote_addr')
  if (lists === undefined || line === undefined || address === undefined) return 'unreadable'
  if (Object.values(lists).flat().length > MOST_HEADERS) return 'too large'
  const headers = joined(lists)
  if (takesOursAway(headers.connection ?? '')) return 'malformed'
  // a line of another form leaves both empty, and no rule matches that
  const [, method = '', path = ''] = REQUEST_LINE.exec(line) ?? []
  return {
    id: publicId(headers),
    method,
    host: headers.host ?? '',
    path,
    headers,
    clientAddress: address,
    ...(asker && waitingOf(asker)),
  }
}

/**
 * After all plugins Kong clears each header that the client's `Connection` names: the backend would miss what we say, and without
 * its length a body is read as the next request.
 */
function takesOursAway(connection: string): boolean {
  return connection.split(',').some((token) => NEEDED.test(token.trim()))
}

/** What a policy can have backends trust, and what a request is read by. In any case, `_` for `-`. */
const NEEDED =
  /^(?:x[-_](?:tenant|user|tenantgate)[-_].*|connection|content[-_](?:length|type)|host|transfer[-_]encoding)$/i

/**
 * A backend that obeys one of these serves another host, path, method, address or caller than the one that was decided about. Our
 * guard, and our configuration of Envoy, take the same ones away. In any case, `_` for `-`.
 */
const FOREIGN =
  /^(?:forwarded|x[-_](?:(?:tenant|user|tenantgate)[-_].*|forwarded[-_](?:host|prefix|uri|path|method|server|port|client[-_]cert)|original[-_].*|rewrite[-_]url|host|real[-_]ip|(?:http[-_])?method(?:[-_]override)?))$/i

/** Five calls at most. A refusal where Kong knows no such upstream, and not the one to fall back to either. */
export async function applyUnguarded(kong: Kong, request: GatewayRequest, mark: Mark): Promise<Refusal | undefined> {
  const { remove, answer, upstream, caller } = mark
  const used = await goTo(kong, mark)
  if (upstream !== undefined && used === undefined) return undecided('dependency_unavailable', '')
  const set = used === upstream ? mark.set : toldInstead(mark.set, used)
  const headers: Record<string, HeaderValue> = Object.create(null)
  // an empty list takes a header away
  for (const name of remove) headers[name] = []
  for (const name in request.headers) if (FOREIGN.test(name)) headers[name] = []
  for (const name in set) headers[name] = set[name] ?? []
  if (Object.keys(headers).length > 0) await kong.service.request.setHeaders({ ...headers })
  if (caller) await kong.client.authenticate(...consumerOf(caller))
  if (Object.keys(answer).length > 0) await kong.response.setHeaders(answer)
  return undefined
}

/** The upstream that the request goes to. Whether its targets are well, only the guard can ask. */
async function goTo(kong: Kong, { upstream, fallback }: Mark): Promise<string | undefined> {
  for (const name of [upstream, fallback]) {
    if (name !== undefined && (await kong.service.setUpstream(name)) === true) return name
  }
  return undefined
}

/** Nobody gets the variant's version then. */
function toldInstead(set: Mark['set'], upstream: string | undefined): Mark['set'] {
  const { 'x-tenantgate-variant': _, ...rest } = set
  return { ...rest, ...(upstream !== undefined && { 'x-tenantgate-upstream': upstream }) }
}

/** A consumer that Kong knows can be looked up by the guard alone; here the stand-in is everybody's. */
function consumerOf({ standIn, credential }: Caller) {
  return [{ ...standIn }, { ...credential, consumer_id: standIn.id }] as const
}
