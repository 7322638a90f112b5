/** Which addresses somebody else may send us to. */
import { describe, expect, it } from 'vitest'
import { type AddressKind, addressKind } from '../../../stores/remote/address-kind.ts'

const ADDRESSES: Readonly<Record<AddressKind, readonly string[]>> = {
  global: ['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0']
    .concat(['169.253.255.255', '192.167.255.255', '223.255.255.255', '2606:4700::1111', '2001:4860:4860::8888'])
    .concat(['::ffff:1.1.1.1', '64:ff9b::808:808', '2a00::1%eth0']),
  loopback: ['127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '100.127.255.255',
  ]
    .concat(['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1'])
    .concat(['fc00::1', 'fd00::1', 'fd00:ec2::254', 'fec0::1', '2001:db8::1'])
    .concat(['::ffff:10.0.0.1', '::ffff:a00:1', '0:0:0:0:0:ffff:c0a8:1', '64:ff9b::10.0.0.1', '64:ff9b::a00:1']),
  never: ['0.0.0.0', '0.1.2.3', '169.254.169.254', '169.254.0.1', '224.0.0.1', '255.255.255.255']
    .concat(['::', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'ff02::1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe'])
    .concat(['64:ff9b::169.254.169.254', '::169.254.169.254', '2002:a9fe:a9fe::1', '2001:0:4136::1', '64:ff9b:1::1'])
    .concat(['', 'localhost', '127.1', '2130706433', '0x7f000001', '10.0.0.1.', ' 10.0.0.1', '1.1.1.1:80', '[::1]']),
}

describe.each(Object.entries(ADDRESSES))('%s', (kind, addresses) => {
  it.each(addresses)('%s', (address) => {
    expect(addressKind(address)).toBe(kind)
  })
})
