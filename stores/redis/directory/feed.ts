/**
 * What has changed in the directory, as it happens. Messages only wake: the stream tells, and is looked at anyway every few
 * seconds, so that a lost message or subscription costs nothing but that time.
 */
import { oneAtATime } from '../../../core/one-at-a-time.ts'
import { LATE, withinBudget } from '../../guard/budget.ts'
import type { RedisConnection } from '../connection.ts'
import { changedChannel } from '../keys.ts'
import { commonKey } from './keyspace.ts'
import { readChange } from './stored.ts'

export interface FeedListeners {
  readonly onTenant: (id: string) => void
  readonly onKey: (hash: string) => void
  readonly onRecords: () => void
  /** Another import is live. */
  readonly onPolicy: () => void
  /** What has changed is not known, because data was lost or too much has happened: everything may have. */
  readonly onLost: () => void
  /** All that had changed by `at` was told. */
  readonly onCurrent: (at: number) => void
}

export interface FeedOptions {
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** Between two looks that nobody asked for, in ms. */
  readonly pollMs?: number
  /** How long one look may take, in ms. */
  readonly lookMs?: number
}

export interface Feed {
  /** Looks now, and tells what there is to tell before it resolves; true where Redis has answered. Calls that come meanwhile share one more look. */
  look(): Promise<boolean>
  close(): void
}

const POLL_MS = 5000
const LOOK_MS = 2000
const PAGE = 1000

/** Follows from now on: the first look that is answered tells `onLost`, since nothing is known before. */
export function createFeed(
  connection: RedisConnection,
  listeners: FeedListeners,
  { elapsed, pollMs = POLL_MS, lookMs = LOOK_MS }: FeedOptions,
): Feed {
  const { client, place } = connection
  const channel = changedChannel(place.prefix)
  /** The last entry that was told; undefined before the first look. */
  let last: string | undefined
  let isClosed = false
  const look = oneAtATime(lookOnce)

  async function lookOnce(): Promise<boolean> {
    try {
      while (!isClosed) {
        const at = elapsed()
        const page = await withinBudget(readPage(connection, last), lookMs)
        if (page === LATE || isClosed) return false
        if (tell(page)) continue
        listeners.onCurrent(at)
        return true
      }
    } catch {
      // away: it is looked at again soon, and whoever asks for what it told finds out by himself
    }
    return false
  }

  /** Whether there may be more. */
  function tell(page: Page): boolean {
    if (!page.isWhole) {
      last = page.newest
      listeners.onLost()
      return false
    }
    for (const [id, fields] of page.entries) {
      tellOf(fields, listeners)
      last = id
    }
    return page.entries.length === PAGE - 1
  }

  const wake = () => void look()
  const subscriber = connection.subscriber()
  subscriber.on('message', wake)
  // what was published while it was gone is found by looking once it is there again
  subscriber.on('ready', () => void subscriber.subscribe(channel).then(wake, () => {}))
  client.on('ready', wake)
  const poll = setInterval(wake, pollMs).unref()
  wake()
  return {
    look,
    close() {
      isClosed = true
      clearInterval(poll)
      client.off('ready', wake)
      subscriber.disconnect()
    },
  }
}

function tellOf(fields: readonly string[], listeners: FeedListeners): void {
  const change = readChange(fields)
  // a kind that a newer version knows: it can mean anything
  if (!change) listeners.onLost()
  else if (change.kind === 'tenant') listeners.onTenant(change.id)
  else if (change.kind === 'key') listeners.onKey(change.id)
  else if (change.kind === 'records') listeners.onRecords()
  else listeners.onPolicy()
}

/** Before every entry of a stream. */
const NONE = '0-0'

type Entries = readonly (readonly [id: string, fields: readonly string[]])[]

type Page =
  | { readonly isWhole: true; readonly entries: Entries }
  | { readonly isWhole: false; readonly entries: Entries; readonly newest: string }

/** From the last one on, which is read again: where it is there, nothing is missing behind it. */
async function readPage({ client, place, isUp }: RedisConnection, last: string | undefined): Promise<Page> {
  if (!isUp()) throw new Error('not connected')
  const stream = commonKey(place.prefix, 'changes')
  const newest = async () => (await client.xrevrange(stream, '+', '-', 'COUNT', 1))[0]?.[0] ?? NONE
  if (last === undefined) return { isWhole: false, entries: [], newest: await newest() }
  const entries = await client.xrange(stream, last, '+', 'COUNT', PAGE)
  if (last === NONE && entries.length === 0) return { isWhole: true, entries }
  if (entries[0]?.[0] === last) return { isWhole: true, entries: entries.slice(1) }
  return { isWhole: false, entries: [], newest: await newest() }
}
