/** What `npm start` tells people once everything runs. */
import type { DemoKey, DemoToken } from './credentials.ts'
import { curlLine, examples, flagsCommand, limitsCommand } from './examples.ts'
import type { Stack } from './stack.ts'

const TENANTS: readonly (readonly [string, string])[] = [
  ['acme', 'plan pro, 10000 a day; beta tenant; http://acme.api.localhost'],
  ['globex', 'plan free, 100 a day; http://globex.api.localhost'],
  ['initech', 'plan enterprise, without limits; http://initech.api.localhost'],
]

const KEYS: Readonly<Record<DemoKey, string>> = {
  acme: 'acme, reads and writes orders',
  acmeReader: 'acme, reads orders',
  globex: 'globex, reads and writes orders',
  initech: 'initech, reads and writes orders, role admin',
}

const TOKENS: Partial<Record<DemoToken, string>> = {
  acme: 'acme, user-1, reads orders',
  initech: 'initech, user-2, reads orders, role admin',
}

export function banner(stack: Stack): string {
  const { envoy, port, httpPorts, adminPort, adminTokenFile, credentials } = stack
  const { keys, tokens } = credentials
  const lines = [
    '',
    `tenantgate demo: Envoy ${envoy.version} (${envoy.origin}) on http://127.0.0.1:${port}`,
    ...httpPorts.map((httpPort) => `probes and metrics: http://127.0.0.1:${httpPort}/healthz /readyz /metrics`),
    `administration: http://127.0.0.1:${adminPort} (its token, made for this run: ${adminTokenFile})`,
    ...policyLines(stack),
    '',
    'Tenants',
    ...TENANTS.map(([name, words]) => `  ${name.padEnd(10)}${words}`),
    '',
    'API keys, made for this run',
    ...Object.entries(KEYS).map(([name, words]) => `  ${keys[name as DemoKey]}  ${words}`),
    '',
    'Tokens, made for this run',
    ...Object.entries(TOKENS).flatMap(([name, words]) => [`  ${words}:`, `  ${tokens[name as DemoToken]}`]),
    '',
    'Try',
  ]
  for (const example of examples(credentials)) {
    lines.push(`  # ${example.title}: ${example.status} ${example.code ?? example.backend ?? ''}`.trimEnd())
    lines.push(`  ${curlLine(example, port)}`, '')
  }
  lines.push('  # how the limits of a tenant stand', `  npx tenantgate ${limitsCommand(stack).join(' ')}`, '')
  lines.push('  # which variants a tenant gets, and why', `  npx tenantgate ${flagsCommand(stack).join(' ')}`, '')
  lines.push("Envoy's access log follows, and what the sidecar warns of. Ctrl-C stops everything.", '')
  return lines.join('\n')
}

function policyLines({ policyFile, redis }: Stack): readonly string[] {
  if (!redis) return [`policy: ${policyFile} (edit it, or flags.json beside it: the change is live when you save)`]
  return [
    `Redis ${redis.origin}: ${redis.url}; two sidecars behind Envoy share it: limits, keys, revocations, tenants`,
    `policy: ${policyFile}, imported; after a change of it:`,
    `  npx tenantgate tenants import ${policyFile} --redis ${redis.url}`,
    '  # a key that is refused by both from then on',
    `  npx tenantgate keys revoke --tenant acme --id acme-reader --redis ${redis.url}`,
  ]
}
