/** What comes from beyond this machine, to a listener that is open to it. */
import type { Theme } from './attack.ts'

const ENTRANCE = 'cli/service/tls/tls-entrance.test.ts'
const NAMES = 'cli/service/tls/client-names.test.ts'

export const network: Theme = {
  theme: '13. The listener beyond this machine',
  attacks: [
    {
      attack:
        'a caller without a certificate, or with one of another authority, its own, one for servers, or one that has ended',
      tests: {
        [ENTRANCE]: [
          'no certificate',
          'one of another authority of the same name',
          'one that it has made itself',
          'one for servers',
          'one that has ended',
        ],
      },
    },
    {
      attack: 'a certificate of the authority, for somebody else than Envoy',
      tests: { [ENTRANCE]: ['only whose name is asked for'] },
    },
    {
      attack: 'a name hidden in another: a URI in a DNS name, a wildcard, a comma, the subject',
      tests: { [NAMES]: ['spiffe://acme.example/ns/**'] },
    },
    {
      attack: 'plain text, HTTP/1.1, TLS 1.1',
      tests: { [ENTRANCE]: ['does not speak TLS', 'HTTP/1.1 in mind', 'TLS 1.1'] },
    },
    {
      attack: 'a session from the day when the certificate was good',
      tests: { [ENTRANCE]: ['is never resumed', 'of an authority that is trusted no longer opens nothing'] },
    },
    {
      attack: 'handshakes that say nothing or trickle in, and many of them',
      tests: { [ENTRANCE]: ['or trickles in, is over in time', 'gives way, the oldest first'] },
    },
  ],
}
