/** What is nearly acme's key, or all that a thief of the policy file has of it. */
import { createHash } from 'node:crypto'

const digest = (key: string) => createHash('sha256').update(key).digest('hex')

const NEARLY = {
  'hash of a key': (key) => `sha256:${digest(key)}`,
  'digest of a key': digest,
  'capitals of a key': (key) => key.toUpperCase(),
  'small letters of a key': (key) => key.toLowerCase(),
  'most of a key': (key) => key.slice(0, -1),
  'live twin of a key': (key) => key.replace('_test_', '_live_'),
  'body of a key': (key) => key.split('_').slice(2).join('_'),
  'base64 of a key': (key) => Buffer.from(key).toString('base64'),
} as const satisfies Record<string, (key: string) => string>

export type NearlyKey = keyof typeof NEARLY

export function nearlyKeys(key: string): Record<NearlyKey, string> {
  return Object.fromEntries(Object.entries(NEARLY).map(([name, make]) => [name, make(key)])) as Record<
    NearlyKey,
    string
  >
}
