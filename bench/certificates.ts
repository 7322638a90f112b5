/** CPU of client certificates: to read one, seen before or not, and to find whom it stands for among ever more entries. */
import { compileCertificates } from '../core/credentials/certificates/client-certificate.ts'
import { readCertificate } from '../core/credentials/certificates/read-certificate.ts'
import type { CertificateEntry } from '../core/policy.ts'
import { readRequest } from '../ext-authz/read-request.ts'
import { createAuthority } from '../test/support/certificates.ts'
import { measureSteps, noiseText, reference, type Step } from './measure.ts'
import type { Table } from './table.ts'

const ENTRIES = [10, 1_000, 10_000, 100_000]
/** More than are kept: each is seen for the first time when its turn comes again. */
const UNSEEN = 12_000

export async function benchCertificates(): Promise<Table> {
  const { pem } = createAuthority('bench').issue({
    uris: ['spiffe://bench.example/t/7/sa/batch'],
    dnsNames: ['a.test'],
  })
  const figures = await measureSteps([reference(), ...reading(pem), ...ENTRIES.map((count) => matching(pem, count))])
  const title = 'client certificates: CPU per call'
  return { title, reference: 'JSON.parse of 1 kB', figures, notes: [noiseText(figures[0])] }
}

function reading(pem: string): Step[] {
  let turn = 0
  // what stands before the first line of a certificate is no part of it
  const texts = Array.from({ length: UNSEEN }, (_, index) => `${index}\n${pem}`)
  const plain = checkWith({})
  const withCertificate = checkWith({ certificate: encodeURIComponent(pem) })
  return [
    { name: 'read a request, without TLS', call: () => readRequest(plain) },
    { name: 'read a request, certificate seen before', call: () => readRequest(withCertificate) },
    { name: '  a certificate, first sight', call: () => readCertificate(texts[turn++ % UNSEEN] ?? '') },
  ]
}

function checkWith(source: object) {
  const headers = { ':path': '/v1/orders/7', 'user-agent': 'bench', accept: '*/*', 'x-request-id': 'b5f0c2f4' }
  return {
    attributes: {
      source,
      request: { http: { id: '7', method: 'GET', host: 'a.test', path: '/v1/orders/7', headers } },
    },
  }
}

function matching(pem: string, count: number): Step {
  const entries: CertificateEntry[] = Array.from({ length: count }, (_, index) => ({
    id: `entry-${index}`,
    tenant: `tenant-${index}`,
    roles: [],
    scopes: [],
    name: { kind: 'uri', pattern: `spiffe://bench.example/t/${index}/sa/*` },
  }))
  const matcher = compileCertificates(entries)
  const certificate = readCertificate(pem)
  const found = matcher.match(certificate)
  if (typeof found !== 'object' || found.id !== 'entry-7') throw new Error('another entry than the one to measure')
  return { name: `whom it stands for, ${count.toLocaleString('en')} entries`, call: () => matcher.match(certificate) }
}
