/** What Prometheus reads of a listener with TLS: who was refused and why, and how long our certificate lasts. */
import { Counter, Gauge, type Registry } from 'prom-client'

export const TLS_REFUSALS = [
  'no_certificate',
  'untrusted_certificate',
  'wrong_name',
  'no_http2',
  'bad_handshake',
  'too_slow',
  'too_many',
] as const
export type TlsRefusal = (typeof TLS_REFUSALS)[number]

export interface TlsMetrics {
  /** Counts a connection that did not get through its handshake. */
  refused(reason: TlsRefusal): void
  /** This certificate is used from now on; `notAfter` in ms since the epoch. */
  certificateLive(notAfter: number): void
  /** A reload ended: the new files are used, or the last good ones stay. */
  reloaded(result: 'success' | 'failure'): void
  /** After a failure the files are again what is used. */
  mended(): void
}

export function addTlsMetrics(registry: Registry): TlsMetrics {
  const registers = [registry]
  const refused = new Counter({
    name: 'tenantgate_tls_refused_connections_total',
    help: 'Connections from beyond this machine that were refused in their handshake, by reason.',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of TLS_REFUSALS) refused.inc({ reason }, 0)
  const notAfter = new Gauge({
    name: 'tenantgate_tls_certificate_not_after_timestamp_seconds',
    help: 'When the certificate of the listener ends, in seconds since the epoch.',
    registers,
  })
  const reloads = new Counter({
    name: 'tenantgate_tls_reloads_total',
    help: 'Reloads of certificate, key and authorities by result; after a failure the last good ones stay.',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0)
  const good = new Gauge({
    name: 'tenantgate_tls_last_reload_successful',
    help: 'Whether certificate, key and authorities, as they were last read, are used: 0 while bad ones wait to be mended.',
    registers,
  })
  good.set(1)
  return {
    refused: (reason) => refused.inc({ reason }),
    certificateLive: (ms) => notAfter.set(ms / 1000),
    reloaded(result) {
      reloads.inc({ result })
      good.set(result === 'success' ? 1 : 0)
    },
    mended: () => good.set(1),
  }
}
