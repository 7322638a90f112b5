/** Reading the policy and what it names from disk: sizes bounded, text checked, failures in words. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { MAX_POLICY_BYTES } from './document.ts'

const { O_RDONLY, O_NONBLOCK } = constants

const CHUNK_BYTES = 1024 * 1024

/**
 * Tells contents apart without reading them: changes with a write, a rename over the file, and a link that leads
 * elsewhere.
 */
export type Stamp = string

export type FileText = { readonly stamp: Stamp } & ({ readonly text: string } | { readonly failure: string })

/** Reads a whole file of UTF-8 text. The stamp is taken first, so that a write in between shows as a change. */
export function readText(path: string): FileText {
  const stamp = stampOf(path)
  let file: number | undefined
  try {
    // a pipe without a writer would hold up whoever opens it, and a device could be read without end
    file = openSync(path, O_RDONLY | O_NONBLOCK)
    const facts = fstatSync(file)
    if (facts.isDirectory()) return { stamp, failure: 'is a folder' }
    if (!facts.isFile()) return { stamp, failure: 'is not a regular file' }
    const bytes = readAtMost(file, MAX_POLICY_BYTES + 1)
    if (bytes.length > MAX_POLICY_BYTES) return { stamp, failure: 'is larger than 16 MB' }
    return { stamp, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    return { stamp, failure: reasonOf(error) }
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** The beginning of a file, whatever size it claims to have. */
function readAtMost(file: number, most: number): Uint8Array {
  const chunks: Uint8Array[] = []
  let left = most
  while (left > 0) {
    const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES))
    const read = readSync(file, chunk)
    if (read === 0) break
    chunks.push(chunk.subarray(0, read))
    left -= read
  }
  return Buffer.concat(chunks)
}

/** As `currentStamp`, at once. */
export function stampOf(path: string): Stamp {
  try {
    return stampFrom(statSync(path, { bigint: true }))
  } catch {
    return ABSENT
  }
}

/** The stamp of what a path leads to now, links followed. */
export async function currentStamp(path: string): Promise<Stamp> {
  try {
    return stampFrom(await stat(path, { bigint: true }))
  } catch {
    return ABSENT
  }
}

const ABSENT: Stamp = 'absent'

function stampFrom({ dev, ino, size, mtimeNs }: BigIntStats): Stamp {
  return `${dev}:${ino}:${size}:${mtimeNs}`
}

const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
  EISDIR: 'is a folder',
  ELOOP: 'is a link that leads back to itself',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return FAILURES[code] ?? `cannot be read${code === '' ? '' : ` (${code})`}`
}
