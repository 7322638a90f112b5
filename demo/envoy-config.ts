/** The reference configuration with other addresses. Nothing else differs from what `envoy/envoy.yaml` says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { packageRoot } from '../package-root.ts'

export const referenceFile = join(packageRoot, 'envoy', 'envoy.yaml')

export interface EnvoyAddresses {
  /** Where clients connect, on the loopback interface. */
  readonly port: number
  /** Unix socket of the admin interface. */
  readonly adminSocket: string
  /** Unix socket of the sidecar. */
  readonly sidecarSocket: string
  /** Of more sidecars beside it, which share their state with it. */
  readonly moreSockets?: readonly string[]
  /** Where it is instead, on another machine. */
  readonly central?: { readonly host: string; readonly port: number }
  /** Ports of the backends on the loopback interface, by the name of their cluster. */
  readonly backends: Readonly<Record<string, number>>
}

interface SocketAddress {
  socket_address: { address: string; port_value: number }
}
type Address = SocketAddress | { pipe: { path: string } }

/** As much of the configuration as is changed here. */
interface Reference {
  admin: { address: Address }
  static_resources: {
    listeners: { address: Address; enable_reuse_port?: boolean }[]
    clusters: {
      name: string
      /** None where a cluster is made of others. */
      load_assignment?: { endpoints: { lb_endpoints: { endpoint: { address: Address } }[] }[] }
    }[]
  }
}

const at = ({ host, port }: { readonly host: string; readonly port: number }): SocketAddress => ({
  socket_address: { address: host, port_value: port },
})
const loopback = (port: number) => at({ host: '127.0.0.1', port })
const pipe = (path: string) => ({ pipe: { path } })

/** For `envoy -c FILE.json`: JSON, because Envoy reads some YAML words as booleans. Throws when a cluster has no address. */
export function envoyConfig(addresses: EnvoyAddresses, yaml = readFileSync(referenceFile, 'utf8')): string {
  const config: Reference = parse(yaml)
  config.admin.address = pipe(addresses.adminSocket)
  for (const listener of config.static_resources.listeners) {
    listener.address = loopback(addresses.port)
    // two demos that choose the same port must not share its connections
    listener.enable_reuse_port = false
  }
  for (const { name, load_assignment } of config.static_resources.clusters) {
    if (!load_assignment) continue
    const known = addressesOf(name, addresses)
    for (const endpoints of load_assignment.endpoints) {
      endpoints.lb_endpoints = endpoints.lb_endpoints.flatMap(({ endpoint, ...rest }) =>
        known.map((address) => ({ ...rest, endpoint: { ...endpoint, address } })),
      )
    }
  }
  return JSON.stringify(config)
}

/** The backend whose hosts a cluster has: those of a canary are in a cluster of their own. */
export const backendOf = (cluster: string): string => cluster.replace(/-hosts$/, '')

function addressesOf(cluster: string, addresses: EnvoyAddresses): readonly Address[] {
  const { sidecarSocket, moreSockets = [], central, backends } = addresses
  if (cluster === 'tenantgate') return central ? [at(central)] : [sidecarSocket, ...moreSockets].map(pipe)
  const port = backends[backendOf(cluster)]
  if (port === undefined) throw new Error(`no address is known for the cluster '${cluster}'`)
  return [loopback(port)]
}
