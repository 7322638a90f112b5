/** A request as the fuzzer makes one: what a client writes, byte for byte, and which credentials it holds. */
import type { Fields } from '../kong/harness/lua-host.ts'
import type { Credential, ShownCertificate } from './world.ts'

/** All texts are bytes, a character each. */
export interface FuzzRequest {
  readonly method: string
  /** The request target as it stands in the request line. */
  readonly target: string
  /** Header fields in order and spelling, Host among them. */
  readonly fields: Fields
  /** The client's address, one of 127.0.0.0/8. */
  readonly from: string
  /** What was put into it, wherever it stands. */
  readonly credentials: readonly Credential[]
  /** What the gateway has verified in the TLS handshake. */
  readonly certificate?: ShownCertificate
  /** Of a token that the gateway has verified; for gateways that can. */
  readonly verified?: VerifiedToken
}

export interface VerifiedToken {
  readonly claims: Readonly<Record<string, unknown>>
  /** The token itself, and whether the gateway hands it on. */
  readonly text: string
  readonly isShown: boolean
  /** Whom it speaks for. */
  readonly tenant?: string
}

/** From here so many credentials have failed that no more are looked at. */
export const BLOCKED_ADDRESS = '127.0.0.3'

/** Bytes, a character each, as the text that they are in UTF-8. */
export const textOf = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')
export const bytesOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

/** The values of a header by its lower-case name. */
export function valuesOf(fields: Fields, name: string): readonly string[] {
  return fields.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value)
}

/** How CGI-like backends read a name: case does not matter, and an underscore is a hyphen. */
export const folded = (name: string) => name.toLowerCase().replaceAll('_', '-')
