/** Says in the log when an issuer's keys can no longer be fetched, while there is time to mend it, and when they can again. */
import type { FetchKeys } from '../../core/credentials/tokens/key-set.ts'
import { usableKeys } from '../../core/credentials/tokens/usable-keys.ts'
import type { Log } from '../../telemetry/log.ts'

/** The same keys and the same failures; of many in a row the log tells the first. */
export function tellOfIssuers(fetchKeys: FetchKeys, log: Pick<Log, 'issuerAway' | 'issuerBack'>): FetchKeys {
  const away = new Set<string>()
  return async (from, onSlow) => {
    const { origin, pathname } = new URL(from.url)
    const place = `${origin}${pathname}`
    try {
      const document = await fetchKeys(from, onSlow)
      usableKeys(document)
      if (away.delete(place)) log.issuerBack(place)
      return document
    } catch (fault) {
      if (!away.has(place)) log.issuerAway(place, (fault as Error).message)
      away.add(place)
      throw fault
    }
  }
}
