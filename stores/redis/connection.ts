/** One connection to what a policy calls its store: a single Redis, what sentinels watch, or a cluster; each with TLS or without. */
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RedisPlace } from '../../core/policy.ts'
import { storeFailure } from './failure.ts'

export interface RedisConnection {
  readonly place: RedisPlace
  /** Rejects at once what cannot be sent now. Its commands may share packets, and in each call are sent in order. */
  readonly client: Redis | Cluster
  /** Another client, for SUBSCRIBE: what is subscribed there holds over reconnects. The caller closes it (`disconnect`). */
  subscriber(): Redis | Cluster
  isUp(): boolean
  /** Lets go at once: what is under way is rejected. */
  close(): Promise<void>
}

export interface ConnectionOptions {
  /** Told of each change, first when it is up or could not be opened; `why` holds no credential. */
  readonly onState?: (state: 'up' | 'down', why?: string) => void
}

/** A server that sends nothing for so long, though asked, is given up, and the connection with it. */
const SILENCE_MS = 5000
const CONNECT_MS = 2000
const LOADING_MS = 500
const ENDING_MS = 1000
/** From 50 ms, doubled up to 2 s. */
const nextTry = (times: number) => Math.min(25 * 2 ** Math.min(times, 10), 2000)

/** Connects at once and again whenever it has to; never rejects and never waits. */
export function openRedis(place: RedisPlace, { onState = () => {} }: ConnectionOptions = {}): RedisConnection {
  const client = createClient(place, { enableOfflineQueue: false, enableAutoPipelining: true })
  let isUp: boolean | undefined
  let lastFault: string | undefined
  const tell = (up: boolean) => {
    if (up === isUp) return
    isUp = up
    const why = lastFault ?? 'the connection was closed'
    lastFault = undefined
    if (up) onState('up')
    else onState('down', why)
  }
  client.on('error', (error) => {
    lastFault = storeFailure(error).message
    // sentinels are asked again and again without anything being closed
    if (isUp === undefined) tell(false)
  })
  client.on('ready', () => tell(true))
  client.on('close', () => tell(false))
  return {
    place,
    client,
    subscriber: () => createClient(place, { enableOfflineQueue: true, enableAutoPipelining: false }),
    isUp: () => isUp === true && client.status === 'ready',
    close: () => closed(client),
  }
}

/** Lets go of a client at once; settles when nothing of it is left. */
export function closed(client: Redis | Cluster): Promise<void> {
  const { status } = client
  if (status === 'end') return Promise.resolve()
  return new Promise((resolve) => {
    client.once('end', () => resolve())
    client.disconnect()
    // between two tries there is nothing that could end; a cluster that never opened does not say that it has
    if (status === 'reconnecting') resolve()
    else setTimeout(resolve, ENDING_MS).unref()
  })
}

type Settings = Omit<RedisOptions, 'replyMapping'>
type Queueing = Required<Pick<RedisOptions, 'enableOfflineQueue' | 'enableAutoPipelining'>>

function createClient(place: RedisPlace, queueing: Queueing): Redis | Cluster {
  const client = place.kind === 'cluster' ? createCluster(place, queueing) : new Redis(redisOptions(place, queueing))
  // an event without a listener would be printed
  client.on('error', () => {})
  return client
}

/** What every connection to a server has, whichever way its address was found. */
function commonOptions({ username, password, tls }: RedisPlace): Settings {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: tlsOptions(tls) }),
    // all that we ask is in the old protocol too, which every proxy speaks
    protocol: 2,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // one that loads its data says how long that takes, and is often wrong
    maxLoadingRetryTime: LOADING_MS,
    maxRetriesPerRequest: 0,
    // a take that may have happened must not happen again
    autoResendUnfulfilledCommands: false,
    connectionName: 'tenantgate',
  }
}

function redisOptions(place: RedisPlace, queueing: Queueing): Settings {
  const { kind, nodes, database, primary = '', sentinelPassword, tls } = place
  const [first] = nodes
  return {
    ...commonOptions(place),
    ...queueing,
    // what was subscribed or asked before the first connection waits for it, in a subscriber
    ...(queueing.enableOfflineQueue && { maxRetriesPerRequest: null }),
    db: database,
    retryStrategy: nextTry,
    // one that was demoted while we were connected: the name leads to another now
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(kind === 'single'
      ? { ...first }
      : {
          sentinels: nodes.map((node) => ({ ...node })),
          name: primary,
          ...(sentinelPassword !== undefined && { sentinelPassword }),
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(tls) }),
          sentinelRetryStrategy: nextTry,
          // they tell of a new primary, before the old one is missed
          failoverDetector: true,
          sentinelReconnectStrategy: () => 2000,
        }),
  }
}

function createCluster(place: RedisPlace, queueing: Queueing): Cluster {
  const starts = place.nodes.map((node) => ({ ...node }))
  return new Cluster(starts, {
    ...queueing,
    redisOptions: commonOptions(place),
    clusterRetryStrategy: nextTry,
    clusterNodeRetryStrategy: nextTry,
    slotsRefreshInterval: 2000,
    // nothing waits here: whoever asks has another answer
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    maxRedirections: 4,
    // certificates are for names, not for what they stand for
    ...(place.tls && { dnsLookup: (name: string, done: (error: null, address: string) => void) => done(null, name) }),
  })
}

function tlsOptions({ ca, certificate, key }: NonNullable<RedisPlace['tls']>): NonNullable<RedisOptions['tls']> {
  return {
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  }
}
