/** Bad files of a listener with TLS are told with option and file, and never quoted. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { readTlsFiles } from '../../../../cli/service/tls/tls-files.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { createTlsPeers } from '../../../support/tls-peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'tg-'))
const peers = createTlsPeers(folder)
const { files, authority } = peers
const { certificate, key, clientCa } = files
let own = peers.write()
beforeEach(() => {
  own = peers.write()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = () => readTlsFiles(files, Date.now()).read
const between = authority.issueAuthority('between')
const locked = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' },
  }).privateKey

describe('the files of a listener with TLS', () => {
  it('are taken together, with chains and bundles, and tell when the certificate ends', () => {
    writeFileSync(certificate, `leaf\n${own.pem}${authority.pem}`)
    writeFileSync(clientCa, `# ours\n${authority.pem}\n# theirs\n${createAuthority('other').pem}`)
    const answer = read()
    expect(answer).toMatchObject({ ok: true, material: { key: own.key } })
    const days = answer.ok ? (answer.material.notAfter - Date.now()) / 86_400_000 : 0
    expect(Math.round(days)).toBe(2)
  })

  it.each([
    ['the root', `${between.pem}${authority.pem}`],
    ['a root under the older label', `${between.pem}${authority.pem.replaceAll(' CERT', ' X509 CERT')}`],
    ['any other root', `${createAuthority('other').pem}${between.pem}`],
  ])('may hold an intermediate authority beside %s', (_, text) => {
    writeFileSync(clientCa, text)
    expect(read()).toMatchObject({ ok: true, material: { ca: text } })
  })

  it.each([
    ['certificate', '', 'holds no certificate in PEM'],
    ['certificate', 'KEY', 'holds no certificate in PEM'],
    ['certificate', 'CUT', 'holds no certificate in PEM, or one that cannot be read'],
    ['certificate', 'ENDED', 'holds a certificate that has ended on'],
    ['certificate', 'x'.repeat(1024 * 1024 + 1), 'is larger than 1 MB'],
    ['key', '', 'holds no private key in PEM'],
    ['key', 'CERTIFICATE', 'holds no private key in PEM'],
    ['key', 'OTHER', 'is not the key of the certificate in'],
    ['key', 'LOCKED', 'holds a key behind a passphrase; write it without one'],
    ['clientCa', '', 'holds no certificate of an authority'],
    ['clientCa', 'CERTIFICATE', 'holds no certificate of an authority'],
    ['clientCa', 'BETWEEN', 'holds intermediate authorities alone, which lets nobody in; add their root'],
    ['clientCa', 'CUT', 'holds a certificate that cannot be read'],
  ] as const)('%s that is %s: %s', (name, content, words) => {
    const other = authority.issue({ subject: [['CN', 'other']] })
    const ended = authority.issue({ subject: [['CN', 'ended']], notAfter: Date.now() - 1000 })
    const contents: Readonly<Record<string, string>> = {
      KEY: own.key,
      CERTIFICATE: own.pem,
      BETWEEN: between.pem + other.pem,
      CUT: `${authority.pem}${own.pem.slice(0, 200)}`,
      ENDED: ended.pem,
      OTHER: other.key,
      LOCKED: locked(),
    }
    writeFileSync(files[name], contents[content] ?? content)
    const answer = read()
    const option = { certificate: '--tls-certificate', key: '--tls-key', clientCa: '--tls-client-ca' }[name]
    expect(answer).toEqual({ ok: false, problem: expect.stringContaining(`${option}: ${files[name]} ${words}`) })
    for (const line of `${own.key}${other.key}`.split('\n')) {
      if (line.length > 30) expect(JSON.stringify(answer)).not.toContain(line)
    }
  })

  it('that are missing or no files are told', () => {
    rmSync(key)
    expect(read()).toEqual({ ok: false, problem: `--tls-key: ${key} does not exist` })
    expect(readTlsFiles({ ...files, clientCa: folder }, Date.now()).read.ok).toBe(false)
  })
})
