/** The reference configuration and the snippet, as texts: Envoy takes them, and what guards something is there and explained. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { referenceFile } from '../../demo/envoy-config.ts'
import { runToEnd } from '../../demo/run-to-end.ts'
import { socketFolder, usedEnvoy } from '../support/envoy.ts'
import { referenceWith } from '../support/guarded-envoy.ts'
import { snippetFile, withSnippet } from '../support/snippet.ts'

const folder = socketFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const reference = readFileSync(referenceFile, 'utf8')
const snippet = readFileSync(snippetFile, 'utf8')

/** Whether Envoy would start on this configuration. */
async function isAccepted(config: unknown): Promise<boolean> {
  const { command, prefix } = await usedEnvoy()
  const file = join(folder, `${crypto.randomUUID()}.json`)
  writeFileSync(file, JSON.stringify(config))
  const said = await runToEnd(command, [...prefix, '--mode', 'validate', '--log-level', 'error', '-c', file])
  return said !== undefined
}

describe.each([
  ['envoy.yaml', reference],
  ['envoy.yaml with all that is commented out', referenceWith(['tls', 'jwt', 'ratelimit', 'central'])],
  ['snippet.yaml', snippet],
])('%s', (_, text) => {
  it('reads the same under YAML 1.1 and 1.2', () => {
    expect(parse(text, { version: '1.1' })).toEqual(parse(text, { version: '1.2' }))
  })

  it('would be caught where they differ', () => {
    const ambiguous = text.replace('transport_api_version: V3', 'transport_api_version: on')
    expect(parse(ambiguous, { version: '1.1' })).not.toEqual(parse(ambiguous, { version: '1.2' }))
  })
})

describe('Envoy', () => {
  it('accepts the reference as it stands', async () => {
    expect(await isAccepted(parse(reference))).toBe(true)
  })

  it('accepts the snippet in a minimal configuration of somebody else', async () => {
    expect(await isAccepted(withSnippet(parse(snippet)))).toBe(true)
  })

  it('refuses a snippet with a setting that it does not know', async () => {
    const parts = parse(snippet)
    parts.http_filters[0].typed_config.failure_mode_alow = true
    expect(await isAccepted(withSnippet(parts))).toBe(false)
  })
})

/** Settings that guard something, and the value that does. Each line must stand under a comment, or carry one. */
const HARDENING: readonly (readonly [line: string, file: 'both' | 'reference'])[] = [
  ['early_header_mutation_extensions:', 'both'],
  ['forward_client_cert_details: SANITIZE', 'both'],
  ['include_peer_certificate: true', 'both'],
  ['metadata_context_namespaces: [envoy.filters.http.jwt_authn]', 'both'],
  ['headers_with_underscores_action: DROP_HEADER', 'both'],
  ['timeout: "0.5s"', 'both'],
  ['retry_policy:', 'both'],
  ['retry_on: connect-failure,refused-stream,unavailable', 'both'],
  ['retry_back_off: { base_interval: "0.01s", max_interval: "0.5s" }', 'both'],
  ['failure_mode_allow: false', 'both'],
  ['status_on_error: { code: ServiceUnavailable }', 'both'],
  ['validate_mutations: true', 'both'],
  ['clear_route_cache: true', 'both'],
  ['circuit_breakers:', 'both'],
  ['use_remote_address: true', 'reference'],
  ['xff_num_trusted_hops: 0', 'reference'],
  ['internal_address_config: { cidr_ranges: [{ address_prefix: "255.255.255.255", prefix_len: 32 }] }', 'reference'],
  ['preserve_external_request_id: false', 'reference'],
  ['always_set_request_id_in_response: true', 'reference'],
  ['strip_any_host_port: true', 'reference'],
  ['strip_trailing_host_dot: true', 'reference'],
  ['normalize_path: false', 'reference'],
  ['merge_slashes: false', 'reference'],
  ['path_with_escaped_slashes_action: KEEP_UNCHANGED', 'reference'],
  ['max_headers_count: 100', 'reference'],
  ['max_request_headers_kb: 60', 'reference'],
  ['max_stream_duration: "3600s"', 'reference'],
  ['request_headers_timeout: "10s"', 'reference'],
  ['stream_idle_timeout: "300s"', 'reference'],
  ['server_header_transformation: OVERWRITE', 'reference'],
  ['suppress_envoy_headers: true', 'reference'],
  ['- name: not-ascii', 'both'],
  ['- name: envoy.filters.http.header_mutation', 'both'],
  ['- name: chosen-grpc', 'reference'],
  ['- name: unknown-grpc', 'reference'],
  ['- name: nowhere', 'reference'],
  ['- { name: nowhere, type: STATIC }', 'reference'],
  ['request_headers_to_remove: [x-tenantgate-fallback]', 'both'],
  ['retry_on: connect-failure,refused-stream,reset-before-request', 'reference'],
  ['clusters: [orders-beta-hosts, orders-stable]', 'reference'],
  ['common_lb_config: &no-panic { healthy_panic_threshold: { value: 0 }, update_merge_window: "0s" }', 'reference'],
  ['circuit_breakers: &retries { thresholds: [{ max_retries: 1024 }] }', 'reference'],
  ['no_traffic_interval: "2s"', 'reference'],
  ['consecutive_gateway_failure: 20', 'reference'],
  ['max_ejection_percent: 100', 'reference'],
  ['successful_active_health_check_uneject_host: false', 'reference'],
  ['policy: { overprovisioning_factor: 100000 }', 'reference'],
  ['forward_not_matching_preflights: false', 'reference'],
  ['disallowed_headers: { patterns: [{ exact: cookie }] }', 'reference'],
]

describe('the names of upstreams within reach of a policy', () => {
  const { listeners, clusters } = parse(reference).static_resources
  const { routes } = listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0]
  const names: string[] = clusters.map(({ name }: { name: string }) => name)
  const reachable = (route: string) => {
    const { match } = routes.find(({ name }: { name: string }) => name === route)
    const regex = new RegExp(`^(?:${match.headers[0].string_match.safe_regex.regex})$`)
    return names.filter((name) => regex.test(name))
  }

  it('are those of clusters that are backends, and not the hosts of a canary nor the sidecar', () => {
    const backends = ['orders-stable', 'orders-beta', 'orders-canary']
    const routed = ['chosen-grpc', 'chosen', 'unknown-grpc', 'unknown'].map(reachable)
    expect(routed).toEqual([backends, backends, backends, backends])
    expect(names.filter((name) => !backends.includes(name))).toEqual([
      'tenantgate',
      'nowhere',
      'orders-beta-hosts',
      'orders-canary-hosts',
    ])
  })

  it('and reads are tried again of those that have stable behind them', () => {
    const behind = (name: string) =>
      clusters.find((one: { name: string }) => one.name === name).cluster_type?.typed_config.clusters
    for (const name of reachable('chosen-read')) expect(behind(name)).toEqual([`${name}-hosts`, 'orders-stable'])
    expect(reachable('chosen-read')).toEqual(names.filter((name) => behind(name) !== undefined))
  })
})

describe('each setting that guards something is there, and a comment says what for', () => {
  it.each(HARDENING)('%s (%s)', (setting, where) => {
    for (const text of where === 'both' ? [reference, snippet] : [reference]) {
      expect(isExplained(text.split('\n'), setting)).toBe(true)
    }
  })

  it('one without a comment is found', () => {
    expect(isExplained(['a:', '  # why', '  b: 1', '  c: 2', '', '  d: 3'], 'c: 2')).toBe(true)
    expect(isExplained(['a:', '  # why', '  b: 1', '', '  d: 3'], 'd: 3')).toBe(false)
    expect(isExplained(['# why', 'a:', '  b: 1'], 'b: 1')).toBe(false)
    expect(isExplained(['# c: 2'], 'c: 2')).toBe(false)
  })
})

/** A comment explains the lines of its own depth that follow it without a blank line between. */
function isExplained(lines: readonly string[], setting: string): boolean {
  const at = lines.findIndex((line) => line.trim() === setting)
  if (at < 0) return false
  const depth = indentation(lines[at] ?? '')
  for (const line of lines.slice(0, at).reverse()) {
    if (line.trim() === '' || indentation(line) < depth) return false
    if (indentation(line) === depth && line.trimStart().startsWith('#')) return true
  }
  return false
}

function indentation(line: string): number {
  return line.length - line.trimStart().length
}
