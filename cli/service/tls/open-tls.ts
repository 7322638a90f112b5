/** The entrance from beyond this machine, with its files followed and its refusals told. */
import type { TlsOptions } from '../../tls-options.ts'
import type { GatewayServer } from '../listeners.ts'
import type { ServiceParts } from '../parts.ts'
import { compileClientNames } from './client-names.ts'
import { type FollowedTlsFiles, followTlsFiles } from './follow-tls-files.ts'
import { tellOfRefusals } from './tell-of-refusals.ts'
import { createTlsEntrance, type TlsEntrance } from './tls-entrance.ts'
import { type ReadTlsFiles, readTlsFiles } from './tls-files.ts'

/** An entrance and what follows its files; `close` ends both. */
export interface OpenTls extends FollowedTlsFiles {
  readonly entrance: Pick<TlsEntrance, 'accept'>
}

export type ReadTls =
  | { readonly ok: true; open(server: GatewayServer): OpenTls }
  | { readonly ok: false; readonly problem: string }

/** Reads the files. Nothing is open before `open` is called, at most once. */
export function readTls(
  options: TlsOptions,
  { log, metrics, now, elapsed }: Pick<ServiceParts, 'log' | 'metrics' | 'now' | 'elapsed'>,
): ReadTls {
  const { stamps, read } = readTlsFiles(options.files, now())
  if (!read.ok) return read
  const open = (server: GatewayServer) => {
    const counted = metrics.addTls()
    const entrance = createTlsEntrance({
      material: read.material,
      isClient: options.clientNames.length > 0 ? compileClientNames(options.clientNames) : undefined,
      server,
      onRefused: tellOfRefusals({ log, metrics: counted, elapsed }),
    })
    return opened(entrance, {
      files: options.files,
      first: { stamps, material: read.material },
      log,
      metrics: counted,
      now,
    })
  }
  return { ok: true, open }
}

type FollowParts = Omit<Parameters<typeof followTlsFiles>[0], 'onMaterial'>

function opened(entrance: TlsEntrance, parts: FollowParts & { readonly first: Pick<ReadTlsFiles, 'stamps'> }): OpenTls {
  const followed = followTlsFiles({ ...parts, onMaterial: entrance.renew })
  return {
    entrance,
    reload: followed.reload,
    close() {
      followed.close()
      entrance.close()
    },
  }
}
