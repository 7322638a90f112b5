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
  const { certificate, verified } = request
  if (keys.length > 1 || bearers.length > 1) return 'something else'
  // beside the claims of a token stands that token, or one of our keys
  if (verified && bearers.some((text) => text !== verified.text && !text.startsWith('tg_'))) return 'something else'
  const texts = [...keys, ...bearers.filter((text) => text !== verified?.text)]
  const shown = [
    ...texts.map((text) => request.credentials.find((credential) => credential.text === text)?.tenant),
    ...(certificate ? [certificate.tenant] : []),
    ...(verified ? [verified.tenant] : []),
  ]
  if (shown.length === 0) return 'nothing'
  const [tenant = 'something else', ...others] = shown
  return others.every((other) => other === tenant) ? tenant : 'something else'
}

/** The tenant that the host name claims to be; `unknown` for one that does not exist. */
export function claimedTenant({ target, fields }: FuzzRequest): string | undefined {
  const host = textOf(hostOfTarget(target) ?? valuesOf(fields, 'host').join(','))
    .toLowerCase()
    .replace(/:\d*$/, '')
    // Envoy takes one dot away, and we another
    .replace(/\.+$/, '')
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

/** A path as a careless backend reads it, before and after it resolves dots and slashes: escapes undone, path parameters cut off. */
function carelessly(target: string): { readonly read: string; readonly segments: readonly string[] } {
  const path = pathOfTarget(target).split('?', 1)[0] ?? ''
  const read = path
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\\', '/')
    .replaceAll(/;[^/]*/g, '')
  const segments: string[] = []
  for (const segment of read.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '.' && segment !== '') segments.push(segment)
  }
  return { read, segments }
}

/** Whether every backend sees the same path: there is nothing to resolve, and no separator that some of them undo. */
export function isPlainPath({ target }: FuzzRequest): boolean {
  const { read, segments } = carelessly(target)
  const resolved = `/${segments.join('/')}`
  const path = target.split('?', 1)[0] ?? ''
  return (read === resolved || read === `${resolved}/`) && !/\\|%2f|%5c|%00|#/i.test(path)
}

/** What a careless backend would serve. */
export function openedRoute({ method, target }: FuzzRequest): 'admin' | 'orders' | undefined {
  const [version, kind] = carelessly(target).segments
  if (version !== 'v1') return undefined
  if (kind === 'admin') return 'admin'
  return kind === 'orders' && /^(?:GET|HEAD|POST|PUT)$/.test(method) ? 'orders' : undefined
}
