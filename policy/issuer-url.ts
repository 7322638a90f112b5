/** Whether a URL that the policy has us ask is one that can be trusted: by its scheme, and by the address that stands in it. */
import { BlockList, isIP } from 'node:net'
import type { Fault } from './problem.ts'

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** RFC 3927, RFC 4291 §2.5.6: where clouds tell a machine its own credentials. */
const linkLocal = blockOf(['169.254.0.0/16', 'fe80::/10'])

/** What is not the internet (IANA's special-purpose registries): this machine, private networks, providers' own, multicast. */
const notPublic = blockOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  'fc00::/7',
  'fec0::/10',
  'ff00::/8',
])

function blockOf(networks: readonly string[]): BlockList {
  const block = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    block.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return block
}

/**
 * What is wrong with a URL for `purpose` ("keys can be trusted from"), or undefined. Loopback, where it is written out, needs no
 * leave and no TLS. Addresses behind names are checked when they are connected to.
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
  if (linkLocal.check(address, family)) {
    return { message: 'has a link-local address, which is never asked', fix: 'the name of a server' }
  }
  if (allowPrivate || !notPublic.check(address, family)) return undefined
  return {
    message: 'has an address that is not on the internet',
    fix: 'a public name, or `allowPrivateAddresses: true` for this issuer,',
  }
}
