/** The requests that `npm start` prints as curl lines, with the answer that each gets; the smoke test sends the same ones. */
import type { Backend } from './backends.ts'
import type { DemoCredentials } from './credentials.ts'
import type { Stack } from './stack.ts'

export interface Example {
  readonly title: string
  readonly method?: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
  /** The `code` of a refusal. */
  readonly code?: string
  /** Which backend answers. */
  readonly backend?: Backend
}

const WRITE = { 'content-type': 'application/json' }

export function examples({ keys, tokens }: DemoCredentials): readonly Example[] {
  const key = (value: string) => ({ 'x-api-key': value })
  const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
  const orders = '/v1/orders/42'
  return [
    { title: 'no credential', path: orders, headers: {}, status: 401, code: 'missing_credential' },
    {
      title: 'an API key; acme is a beta tenant',
      path: orders,
      headers: key(keys.acme),
      status: 200,
      backend: 'orders-beta',
    },
    {
      title: 'a token; the issuer calls acme org_7f3a',
      path: orders,
      headers: bearer(tokens.acme),
      status: 200,
      backend: 'orders-beta',
    },
    {
      title: 'a key on its own subdomain',
      path: orders,
      headers: { host: 'globex.api.localhost', ...key(keys.globex) },
      status: 200,
      backend: 'orders-stable',
    },
    {
      title: "a key on another tenant's subdomain",
      path: orders,
      headers: { host: 'globex.api.localhost', ...key(keys.acme) },
      status: 403,
      code: 'tenant_conflict',
    },
    {
      title: 'a token that may only read',
      method: 'POST',
      path: orders,
      headers: { ...bearer(tokens.acme), ...WRITE },
      status: 403,
      code: 'insufficient_scope',
    },
    {
      title: 'a role that the key has',
      path: '/v1/admin/settings',
      headers: key(keys.initech),
      status: 200,
      backend: 'orders-stable',
    },
    {
      title: 'a path that is not canonical',
      path: '/v1/orders/../admin/settings',
      headers: key(keys.acme),
      status: 400,
      code: 'malformed_request',
    },
    { title: 'an anonymous route', path: '/healthz', headers: {}, status: 200, backend: 'orders-stable' },
    {
      title: 'a dear route; the third one of a day is refused (429)',
      method: 'POST',
      path: '/v1/reports',
      headers: { ...key(keys.globex), ...WRITE },
      status: 200,
      backend: 'orders-stable',
    },
  ]
}

/** A line to paste into a shell. `--path-as-is`, because curl repairs paths. */
export function curlLine({ method = 'GET', path, headers }: Example, port: number): string {
  const verb = method === 'GET' ? '' : ` -X ${method}`
  const list = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`)
  const asIs = path.includes('..') ? ' --path-as-is' : ''
  return `curl -i${asIs}${verb}${list.join('')} 'http://127.0.0.1:${port}${path}'`
}

type Administered = Pick<Stack, 'adminPort' | 'adminTokenFile'>

/** What tells how the limits of a tenant stand, as arguments of `tenantgate`. */
export function limitsCommand(stack: Administered): string[] {
  return ['limits', 'show', '--tenant', 'globex', ...serverOf(stack)]
}

/** The same of which variants a tenant gets. */
export function flagsCommand(stack: Administered): string[] {
  return ['flags', 'evaluate', '--tenant', 'acme', ...serverOf(stack)]
}

function serverOf({ adminPort, adminTokenFile }: Administered): string[] {
  return ['--server', `http://127.0.0.1:${adminPort}`, '--admin-token-file', adminTokenFile]
}
