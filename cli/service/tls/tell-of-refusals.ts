/** What is logged of refused connections: enough to find the reason, and no more than a line every few seconds. */
import { readCertificate } from '../../../core/credentials/certificates/read-certificate.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { TlsMetrics } from '../../../telemetry/tls-metrics.ts'
import type { Refused } from './tls-entrance.ts'

export interface TellParts {
  readonly log: Pick<Log, 'connectionRefused'>
  readonly metrics: Pick<TlsMetrics, 'refused'>
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
}

/** Whoever can reach the port can have a line written. */
const PAUSE_MS = 5000
const MOST_NAMES = 3

/** Counts every one; each line says how many were passed over since the one before. */
export function tellOfRefusals({ log, metrics, elapsed }: TellParts): (refused: Refused) => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  let untold = 0
  return ({ reason, address, code, certificate }) => {
    metrics.refused(reason)
    if (elapsed() < quietUntil) {
      untold += 1
      return
    }
    const names = certificate === undefined ? undefined : namesOf(certificate)
    log.connectionRefused({ address, reason, code, names, untold })
    quietUntil = elapsed() + PAUSE_MS
    untold = 0
  }
}

/** Of a certificate whose authority we trust: what `--tls-client-name` would have to say. */
function namesOf(certificate: string): readonly string[] {
  const { dnsNames, uris } = readCertificate(certificate)
  return [...uris, ...dnsNames].slice(0, MOST_NAMES)
}
