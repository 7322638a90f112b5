/** The snippet in a small configuration of somebody else, who has one backend and no route by upstream. */
import { join } from 'node:path'
import { packageRoot } from '../../package-root.ts'

export const snippetFile = join(packageRoot, 'envoy', 'snippet.yaml')

/** The snippet as parsed. */
export interface Snippet {
  http_connection_manager: { early_header_mutation_extensions: object[]; forward_client_cert_details: string }
  http_filters: object[]
  virtual_host: { request_headers_to_remove: string[]; routes: object[] }
  clusters: object[]
}

export function withSnippet(parts: Snippet): object {
  const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.${name}`
  const router = { name: 'envoy.filters.http.router', typed_config: { '@type': type('http.router.v3.Router') } }
  const routes = [...parts.virtual_host.routes, { match: { prefix: '/' }, route: { cluster: 'orders-stable' } }]
  const manager = {
    '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'theirs',
    route_config: { virtual_hosts: [{ ...parts.virtual_host, name: 'all', domains: ['*'], routes }] },
    ...parts.http_connection_manager,
    http_filters: [...parts.http_filters, router],
  }
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }]
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } }
  return {
    admin: { address },
    static_resources: {
      listeners: [{ name: 'theirs', address, filter_chains: [{ filters }] }],
      clusters: [...parts.clusters, backend('orders-stable')],
    },
  }
}

function backend(name: string): object {
  const address = { socket_address: { address: '127.0.0.1', port_value: 9101 } }
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  }
}
