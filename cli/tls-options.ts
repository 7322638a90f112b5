/** The options of a listener beyond this machine: certificate, key, who may connect. */
import type { Options } from './options.ts'
import { isBeyondLoopback, type ListenAddress } from './service/listen-address.ts'
import { type WrongOptions, wrongInput, wrongUse } from './service/service-options.ts'
import { clientNameFault } from './service/tls/client-names.ts'
import type { TlsFiles } from './service/tls/tls-files.ts'

export interface TlsOptions {
  readonly files: TlsFiles
  /** Clients have one of these names; none: every certificate of the authorities. */
  readonly clientNames: readonly string[]
}

export const TLS_SPECS = {
  'tls-certificate': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-client-ca': { type: 'string' },
  'tls-client-name': { type: 'string', multiple: true },
} as const

export type ReadTlsOptions = { readonly ok: true; readonly options: TlsOptions | undefined } | WrongOptions

const FILES = ['tls-certificate', 'tls-key', 'tls-client-ca'] as const
const ALL_THREE = '--tls-certificate FILE, --tls-key FILE and --tls-client-ca FILE'

/**
 * Checks that every address beyond loopback has what it needs: a peer there could otherwise make up a client's address, or
 * drain a tenant's quota. Options that nothing would use are wrong use, so that nobody takes loopback for TLS.
 */
export function readTlsOptions(given: Options<typeof TLS_SPECS>, listen: readonly ListenAddress[]): ReadTlsOptions {
  const { 'tls-certificate': certificate, 'tls-key': key, 'tls-client-ca': clientCa } = given
  const clientNames = given['tls-client-name'] ?? []
  const beyond = listen.find(isBeyondLoopback)
  const [one] = [...FILES, 'tls-client-name' as const].filter((name) => given[name] !== undefined)
  if (one === undefined) return beyond ? wrongInput(withoutTls(beyond)) : { ok: true, options: undefined }
  if (certificate === undefined || key === undefined || clientCa === undefined) {
    const missing = FILES.filter((name) => given[name] === undefined).map((name) => `--${name}`)
    return wrongUse(`--${one} needs ${missing.join(' and ')} too`)
  }
  if (!beyond) return wrongUse(`--${one} is for addresses beyond loopback, and --listen names none`)
  for (const name of clientNames) {
    const fault = clientNameFault(name)
    if (fault !== undefined) return wrongUse(`--tls-client-name: '${name}' ${fault}`)
  }
  return { ok: true, options: { files: { certificate, key, clientCa }, clientNames } }
}

function withoutTls(address: ListenAddress): string {
  const shown = address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path
  return (
    `--listen: ${shown} is beyond this machine's loopback: that needs TLS client certificates; ` +
    `give ${ALL_THREE}, or use a Unix socket (unix:/path) or 127.0.0.1`
  )
}
