/** What the fuzzer knows of a request because it has made it: read in other ways than ours, and stricter where it can be. */
import { type FuzzRequest, textOf, valuesOf } from './request.ts'

/**
 * What all credentials prove that stand where the policy looks: one tenant, `nothing` where none is shown, `something else`
 * where one of them is not genuine, there are two of a kind, or they are of two tenants.
 */
export function shownOnly(request: FuzzRequest): string {
  const keys = valuesOf(request.fields, 'x-api-key').map((value) => value.trim())
  const authorizations = valuesOf(request.fields, 'authorization').map((value) => value.trim())
  const isBearer = authorizations.some((value) => /(?:^|,)\s*bearer\b/i.test(value))
  const bearers = isBearer ? authorizations.map((value) => value.replace(/^bearer +/i, '')) : []
  const shown = [...keys, ...bearers]
  if (shown.length === 0) return 'nothing'
  if (keys.length > 1 || bearers.length > 1) return 'something else'
  const [tenant = 'something else', ...others] = shown.map(
    (text) => request.credentials.find((credential) => credential.text === text)?.tenant,
  )
  return others.every((other) => other === tenant) ? tenant : 'something else'
}

/** The tenant that the host name claims to be; `unknown` for one that does not exist. */
export function claimedTenant({ target, fields }: FuzzRequest): string | undefined {
  const host = textOf(hostOfTarget(target) ?? valuesOf(fields, 'host').join(','))
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/\.$/, '')
  if (host === 'orders.acme.example') return 'acme'
  if (!host.endsWith('.api.example.com')) return undefined
  const label = host.slice(0, -'.api.example.com'.length)
  if (label === 'www') return undefined
  return ['acme', 'globex', 'initech', 'paused'].includes(label) ? label : 'unknown'
}

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i

/** Of an absolute target its own host counts (RFC 9112 §3.2.2). */
export function hostOfTarget(target: string): string | undefined {
  return ABSOLUTE.exec(target)?.[1]
}

/** With the query; of an absolute target what stands behind its host. */
export function pathOfTarget(target: string): string {
  return target.replace(ABSOLUTE, '') || '/'
}

/** What a careless backend would serve: one that undoes escapes, cuts path parameters off, and resolves dots and slashes. */
export function openedRoute({ method, target }: FuzzRequest): 'admin' | 'orders' | undefined {
  let path = pathOfTarget(target).split('?', 1)[0] ?? ''
  path = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const segments: string[] = []
  for (const segment of path
    .replaceAll('\\', '/')
    .replaceAll(/;[^/]*/g, '')
    .split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '.' && segment !== '') segments.push(segment)
  }
  const [version, kind] = segments
  if (version !== 'v1') return undefined
  if (kind === 'admin') return 'admin'
  return kind === 'orders' && /^(?:GET|HEAD|POST|PUT)$/.test(method) ? 'orders' : undefined
}
