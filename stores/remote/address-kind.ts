/** What an IP address is to somebody who must not be sent to the inside of a network by a name from outside. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * `global`: anybody's. `loopback`, `private`: this machine's, and its network's (RFC 1918, RFC 6598, RFC 4193, and whatever else
 * is not routed). `never`: link-local, where clouds keep the credentials of a machine (169.254.169.254), multicast, and what
 * wraps an address in a way that nobody needs.
 */
export type AddressKind = 'global' | 'loopback' | 'private' | 'never'

/** Of two that hold an address, the upper counts (IANA's special-purpose registries). */
const IPV4: readonly [AddressKind, BlockList][] = [
  ['never', blocks('ipv4', ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32'])],
  ['loopback', blocks('ipv4', ['127.0.0.0/8'])],
  ['private', blocks('ipv4', ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'])],
  ['private', blocks('ipv4', ['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24'])],
  ['private', blocks('ipv4', ['203.0.113.0/24', '240.0.0.0/4'])],
]

const IPV6: readonly [AddressKind, BlockList][] = [
  ['loopback', blocks('ipv6', ['::1/128'])],
  ['private', blocks('ipv6', ['fc00::/7', 'fec0::/10', '2001:db8::/32', '3fff::/20'])],
  // Teredo, 6to4: an IPv4 address inside
  ['never', blocks('ipv6', ['2001::/23', '2002::/16'])],
  ['global', blocks('ipv6', ['2000::/3'])],
]

/** The last 32 bits are an IPv4 address: mapped (RFC 4291 §2.5.5.2), or translated (RFC 6052 §2.1). */
const WITH_IPV4 = blocks('ipv6', ['::ffff:0:0/96', '64:ff9b::/96'])

/** `address` as a resolver tells it, with or without a zone. What is no address is `never` connected to. */
export function addressKind(address: string): AddressKind {
  if (isIPv4(address)) return IPV4.find(([, list]) => list.check(address, 'ipv4'))?.[0] ?? 'global'
  const [plain = ''] = address.split('%', 1)
  if (!isIPv6(plain)) return 'never'
  if (WITH_IPV4.check(plain, 'ipv6')) return addressKind(lastFour(plain))
  return IPV6.find(([, list]) => list.check(plain, 'ipv6'))?.[0] ?? 'never'
}

/** The dotted end of an IPv6 address; a URL writes every one of them in the same way. */
function lastFour(address: string): string {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':').slice(-2)
  return groups
    .map((group) => Number.parseInt(group || '0', 16))
    .flatMap((value) => [value >> 8, value & 0xff])
    .join('.')
}

function blocks(family: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', length = ''] = range.split('/')
    list.addSubnet(network, Number(length), family)
  }
  return list
}
