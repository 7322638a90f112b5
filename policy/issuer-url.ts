/**
 * Whether a URL that the policy has us ask is one that can be trusted: by its scheme, and by the address that stands in
 * it.
 */
import { BlockList, isIP } from 'node:net'
import type { Fault } from './problem.ts'

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * Nobody's server: link-local (where clouds tell a machine its own credentials), multicast, and what wraps another
 * address. Whoever connects asks the same of the addresses behind names.
 */
const never = blockOf(['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32', '2001::/23', '2002::/16'])

/** This machine's, and of networks that are not routed (IANA's special-purpose registries). */
const inside = blockOf([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '2001:db8::/32',
  '3fff::/20',
  'fc00::/7',
  'fec0::/10',
])

/** Of IPv6: what is routed (RFC 4291 §2.4), and IPv4 in its clothes, which the lists above look into. */
const known = blockOf(['2000::/3', '::ffff:0:0/96'])

function blockOf(networks: readonly string[]): BlockList {
  const block = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    block.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return block
}

/**
 * What is wrong with a URL for `purpose` ("keys can be trusted from"), or undefined. Loopback, where it is written out,
 * needs no leave and no TLS. Addresses behind names are checked when they are connected to.
 */
export function urlFault(text: string, purpose: string, allowPrivate: boolean): Omit<Fault, 'path'> | undefined {
  const url = URL.parse(text)
  const isLoopback = url !== null && LOOPBACK.has(url.hostname)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)
  if (!url || !isSafe || url.username !== '' || url.password !== '') {
    return { message: `is not a URL that ${purpose}`, fix: 'an https URL (http on loopback only)' }
  }
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const version = isIP(address)
  if (isLoopback || version === 0) return undefined
  const family = version === 6 ? 'ipv6' : 'ipv4'
  const isInside = inside.check(address, family)
  if (never.check(address, family) || (version === 6 && !isInside && !known.check(address, family))) {
    return { message: 'has an address that is never asked, such as a link-local one', fix: 'the name of a server' }
  }
  if (allowPrivate || !isInside) return undefined
  return {
    message: 'has an address that is not on the internet',
    fix: 'a public name, or `allowPrivateAddresses: true` for this issuer,',
  }
}
