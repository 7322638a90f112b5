/** The PEM files of a listener with TLS: read, and checked as a whole. What is told of them never quotes them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { readText, type Stamp } from '../../../policy/files.ts'

/** Paths. */
export interface TlsFiles {
  /** Our certificate, and after it those between it and its authority. */
  readonly certificate: string
  readonly key: string
  /** The authorities whose certificates clients must show. */
  readonly clientCa: string
}

/** PEM texts that go together. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  readonly ca: string
  /** When our certificate ends, ms since the epoch. */
  readonly notAfter: number
}

export interface ReadTlsFiles {
  /** By absolute path, for whoever follows the files. */
  readonly stamps: ReadonlyMap<string, Stamp>
  /** `problem` names the option and the file. */
  readonly read: Material | Problem
}

type Material = { readonly ok: true; readonly material: TlsMaterial }
type Problem = { readonly ok: false; readonly problem: string }

const OPTION: Readonly<Record<keyof TlsFiles, string>> = {
  certificate: '--tls-certificate',
  key: '--tls-key',
  clientCa: '--tls-client-ca',
}

/** They are parsed on the serving thread, and a bundle of all public authorities has a fifth of this. */
const MOST_CHARACTERS = 1024 * 1024

/** Reads all three. `now` in ms since the epoch. */
export function readTlsFiles(files: TlsFiles, now: number): ReadTlsFiles {
  const texts = { certificate: '', key: '', clientCa: '' }
  const stamps = new Map<string, Stamp>()
  let problem: string | undefined
  for (const name of ['certificate', 'key', 'clientCa'] as const) {
    const path = resolve(files[name])
    const file = readText(path)
    stamps.set(path, file.stamp)
    const text = 'text' in file ? file.text : ''
    const failure = 'failure' in file ? file.failure : text.length > MOST_CHARACTERS ? 'is larger than 1 MB' : undefined
    if (failure !== undefined) problem ??= told(files, name, failure)
    texts[name] = text
  }
  return { stamps, read: problem === undefined ? checked(texts, files, now) : { ok: false, problem } }
}

function told(files: TlsFiles, name: keyof TlsFiles, words: string): string {
  return `${OPTION[name]}: ${files[name]} ${words}`
}

function checked(texts: TlsFiles, files: TlsFiles, now: number): Material | Problem {
  const fault = (name: keyof TlsFiles, words: string): Problem => ({ ok: false, problem: told(files, name, words) })
  const chain = certificatesOf(texts.certificate)
  const own = chain?.[0]
  if (!own) return fault('certificate', 'holds no certificate in PEM, or one that cannot be read')
  const notAfter = own.validToDate.getTime()
  if (notAfter <= now)
    return fault('certificate', `holds a certificate that has ended on ${own.validToDate.toISOString()}`)
  const key = privateKeyOf(texts.key)
  if (key === 'encrypted') return fault('key', 'holds a key behind a passphrase; write it without one')
  if (!key) return fault('key', 'holds no private key in PEM')
  if (!own.checkPrivateKey(key)) return fault('key', `is not the key of the certificate in ${files.certificate}`)
  const authorities = certificatesOf(texts.clientCa)
  if (!authorities) return fault('clientCa', 'holds a certificate that cannot be read')
  if (!authorities.some(({ ca }) => ca)) return fault('clientCa', 'holds no certificate of an authority in PEM')
  if (!mayHoldRoot(texts.clientCa, authorities)) {
    return fault('clientCa', 'holds intermediate authorities alone, which lets nobody in; add their root')
  }
  const material = { cert: texts.certificate, key: texts.key, ca: texts.clientCa, notAfter }
  const refusal = refusalOf(material)
  return refusal === undefined
    ? { ok: true, material }
    : fault('certificate', `cannot be used with its key (${refusal})`)
}

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'

/** Every certificate of a PEM file (RFC 7468 §5), in order; undefined when one cannot be read. */
function certificatesOf(text: string): readonly X509Certificate[] | undefined {
  const parts = text.split(END)
  const rest = parts.pop() ?? ''
  try {
    // one that is cut off would be left out silently otherwise
    if (rest.includes(BEGIN)) return undefined
    return parts.map((part) => new X509Certificate(`${part.slice(part.indexOf(BEGIN))}${END}\n`))
  } catch {
    return undefined
  }
}

/** PEM that OpenSSL takes for certificates as well; what they stand for is left to it. */
const OTHER_LABEL = /^-----BEGIN (?:TRUSTED|X509) CERTIFICATE-----/m

/** OpenSSL follows a client's chain up to one that is its own issuer; an authority between is not enough. */
function mayHoldRoot(text: string, certificates: readonly X509Certificate[]): boolean {
  // by name, and not by `checkIssued`: that wants a use for signing, which a client pinned by its own certificate may lack
  return OTHER_LABEL.test(text) || certificates.some(({ subject, issuer }) => subject === issuer)
}

function privateKeyOf(pem: string): KeyObject | 'encrypted' | undefined {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) return 'encrypted'
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** Why OpenSSL will not have them, as its code: a key that is too weak, for one. */
function refusalOf({ cert, key, ca }: TlsMaterial): string | undefined {
  try {
    createSecureContext({ cert, key, ca })
    return undefined
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code ?? 'unknown')
  }
}
