/** Both ends of a listener beyond loopback: an authority, the files that `serve` reads, clients with certificates of all kinds. */
import { renameSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { type CheckClient, clientOf } from '../ext-authz/client.ts'
import { type Authority, type Certificate, createAuthority, type Holder } from './certificates.ts'

/** What our own certificate calls us, wherever we are. */
export const SERVER_NAME = 'limits.example'

/** An address of this machine that is not loopback; undefined where there is none. */
export function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}

export interface TlsPeers {
  readonly authority: Authority
  /** The options of `serve`. */
  readonly args: readonly string[]
  readonly files: { readonly certificate: string; readonly key: string; readonly clientCa: string }
  /** Writes the files anew; a new certificate of ours where none is given. */
  write(written?: { readonly own?: Certificate; readonly clientCa?: string }): Certificate
  client(holder?: Holder): Certificate
}

export function createTlsPeers(folder: string): TlsPeers {
  const authority = createAuthority('Edge authority')
  const files = {
    certificate: join(folder, 'tls.crt'),
    key: join(folder, 'tls.key'),
    clientCa: join(folder, 'client-ca.crt'),
  }
  const put = (path: string, text: string) => {
    writeFileSync(`${path}.next`, text)
    renameSync(`${path}.next`, path)
  }
  const issued = () => authority.issue({ subject: [['CN', 'limits']], dnsNames: [SERVER_NAME] })
  const write: TlsPeers['write'] = ({ own = issued(), clientCa = authority.pem } = {}) => {
    put(files.certificate, own.pem)
    put(files.key, own.key)
    put(files.clientCa, clientCa)
    return own
  }
  write()
  const { certificate, key, clientCa } = files
  const args = ['--tls-certificate', certificate, '--tls-key', key, '--tls-client-ca', clientCa]
  const client = (holder: Holder = { subject: [['CN', 'envoy']], uris: ['spiffe://acme.example/ns/edge/sa/envoy'] }) =>
    authority.issue(holder)
  return { authority, args, files, write, client }
}

/** A gRPC client that trusts `authority`, and shows `shown` where it is given. */
export function tlsClient(address: string, authority: Authority, shown?: Certificate): CheckClient {
  const [key, cert] = shown ? [Buffer.from(shown.key), Buffer.from(shown.pem)] : [null, null]
  const comingWith = credentials.createSsl(Buffer.from(authority.pem), key, cert)
  const options = { 'grpc.ssl_target_name_override': SERVER_NAME, 'grpc.enable_retries': 0 }
  return clientOf(new Client(address, comingWith, options))
}
