/** TLS for a Redis of tests: an authority made at the start, the files that its servers read, and what clients are told. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RedisPlace } from '../../core/policy.ts'
import { type Authority, createAuthority } from './certificates.ts'
import { usedRedis } from './redis-server.ts'

export interface RedisTls {
  readonly authority: Authority
  /** For whoever trusts the authority and shows a certificate of it. */
  readonly client: Required<NonNullable<RedisPlace['tls']>>
  /** Of a server that is to listen on that port, and speak with others as it listens. */
  args(port: number): readonly string[]
  remove(): void
}

/** For servers on 127.0.0.1, which want a certificate of each client where `wantsClients` says so. */
export function createRedisTls({ wantsClients = false } = {}): RedisTls {
  const folder = mkdtempSync(join(tmpdir(), 'tg-redis-tls-'))
  const authority = createAuthority('Redis authority')
  const server = authority.issue({ subject: [['CN', 'redis']], addresses: ['127.0.0.1'] })
  const shown = authority.issue({ subject: [['CN', 'tenantgate']] })
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const files = [
    ...['--tls-cert-file', file('redis.crt', server.pem), '--tls-key-file', file('redis.key', server.key)],
    ...['--tls-ca-cert-file', file('ca.crt', authority.pem), '--tls-auth-clients', wantsClients ? 'yes' : 'no'],
  ]
  return {
    authority,
    client: { ca: authority.pem, certificate: shown.pem, key: shown.key },
    args: (port) => ['--port', '0', '--tls-port', `${port}`, ...files],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Why there is no TLS to test with; undefined where the server that tests use was built with it. */
export async function whyNoRedisTls(): Promise<string | undefined> {
  const { command, origin } = await usedRedis()
  // it ends either way: it has no key, or the option means nothing to it
  const args = ['--port', '0', '--tls-port', '1', '--tls-cert-file', '/nowhere']
  const { stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  return /bad directive/i.test(stderr) ? `the Redis of ${origin} was built without TLS` : undefined
}
