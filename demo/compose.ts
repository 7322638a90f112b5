/** What docker-compose.yml runs first, `FOLDER`: makes credentials, and writes policy, kong.yml and Envoy's configuration there. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { BACKENDS } from './backends.ts'
import { createCredentials, type DemoCredentials } from './credentials.ts'
import { backendOf, envoyConfig } from './envoy-config.ts'
import { curlLine, examples } from './examples.ts'
import { isMain } from './is-main.ts'
import { writePolicyCopy } from './policy-copy.ts'
import { type KongYaml, referenceYaml } from './run-kong.ts'

/** What docker-compose.yml says too; test/compose holds the two together. */
export const COMPOSE = {
  /** The service of the backends, which is its name on the network. */
  backends: 'backends',
  firstBackendPort: 9101,
  /** In the folder that the sidecar and Envoy share. */
  sidecarSocket: '/run/tenantgate/gate.sock',
  /** The service of what both gateways share. */
  redis: 'redis',
  envoyPort: 8080,
  kongPort: 8000,
} as const

/** Its owner writes, its group (both gateways) reads, others do not. */
const SHARED = 0o640

interface ListenAddress {
  address: { socket_address: { address: string } }
}

interface Cluster {
  name: string
  type: string
  load_assignment?: { endpoints: { lb_endpoints: { endpoint: ListenAddress }[] }[] }
}

/** `envoy/envoy.yaml` where each part is a container of its own. */
export function composeEnvoyConfig(): string {
  const ports = Object.fromEntries(BACKENDS.map((name, index) => [name, COMPOSE.firstBackendPort + index]))
  const { sidecarSocket, envoyPort } = COMPOSE
  const addresses = { port: envoyPort, adminSocket: '/tmp/envoy-admin.sock', sidecarSocket, backends: ports }
  const config: { static_resources: { listeners: ListenAddress[]; clusters: Cluster[] } } = parse(
    envoyConfig(addresses),
  )
  const { listeners, clusters } = config.static_resources
  // Docker publishes what listens on the container's own address, and does so on the host's loopback interface only
  for (const { address } of listeners) address.socket_address.address = '0.0.0.0'
  for (const cluster of clusters) {
    if (!cluster.load_assignment || !Object.hasOwn(ports, backendOf(cluster.name))) continue
    cluster.type = 'STRICT_DNS'
    for (const { lb_endpoints } of cluster.load_assignment.endpoints) {
      for (const { endpoint } of lb_endpoints) endpoint.address.socket_address.address = COMPOSE.backends
    }
  }
  return JSON.stringify(config)
}

/** `kong/kong.yml`, with the backends by their name on the network. */
export function composeKongYaml(reference: KongYaml = referenceYaml()): string {
  for (const { targets } of reference.upstreams) {
    for (const each of targets) each.target = each.target.replace(/^127\.0\.0\.1:/, `${COMPOSE.backends}:`)
  }
  return stringify(reference)
}

/** Writes everything into `folder`, which exists. */
export function writeComposeFiles(folder: string, credentials: DemoCredentials): void {
  chmodSync(writePolicyCopy(folder, credentials, { store: `redis://${COMPOSE.redis}` }), SHARED)
  writeFileSync(join(folder, 'envoy.json'), composeEnvoyConfig(), { mode: SHARED })
  writeFileSync(join(folder, 'kong.yml'), composeKongYaml(), { mode: SHARED })
}

/** What people are told, in the log of this service. */
export function composeBanner(credentials: DemoCredentials): string {
  const lines = ['', 'API keys and tokens, made for this start; the same ones work with both gateways.', '']
  for (const example of examples(credentials)) {
    lines.push(`# ${example.title}: ${example.status} ${example.code ?? example.backend ?? ''}`.trimEnd())
    lines.push(curlLine(example, COMPOSE.envoyPort), curlLine(example, COMPOSE.kongPort), '')
  }
  return lines.join('\n')
}

if (isMain(import.meta.url)) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error('the folder to write to is missing')
  const credentials = await createCredentials()
  writeComposeFiles(folder, credentials)
  process.stdout.write(`${composeBanner(credentials)}\n`)
}
