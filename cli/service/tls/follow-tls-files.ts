/** From the files of a listener with TLS to its next handshakes, whenever the files change. */
import { watchFiles } from '../../../policy/file-changes.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { TlsMetrics } from '../../../telemetry/tls-metrics.ts'
import { type ReadTlsFiles, readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts'

export interface FollowedTlsFiles {
  /** Reads the files again now, whether or not they seem to have changed. */
  reload(): void
  close(): void
}

export interface FollowTlsParts {
  readonly files: TlsFiles
  /** What is used, as it was read. */
  readonly first: { readonly stamps: ReadTlsFiles['stamps']; readonly material: TlsMaterial }
  readonly onMaterial: (material: TlsMaterial) => void
  readonly log: Pick<Log, 'tlsLoaded' | 'tlsUnchanged' | 'tlsRejected'>
  readonly metrics: Omit<TlsMetrics, 'refused'>
  /** ms since the epoch. */
  readonly now: () => number
}

/** From the first sign of a change to reading, and between looks for changes that no notification tells of. */
const DEBOUNCE_MS = 50
const POLL_MS = 2000

/** Bad files change nothing but log and metrics, which tell of each problem once. */
export function followTlsFiles(parts: FollowTlsParts): FollowedTlsFiles {
  const { files, first, onMaterial, log, metrics, now } = parts
  let { material } = first
  let problem: string | undefined
  let soon: NodeJS.Timeout | undefined
  metrics.certificateLive(material.notAfter)

  function look(isAsked: boolean): void {
    const { stamps, read } = readTlsFiles(files, now())
    changes.follow(stamps)
    if (read.ok) accept(read.material, isAsked)
    else reject(read.problem, isAsked)
  }

  function accept(next: TlsMaterial, isAsked: boolean): void {
    const wasBad = problem !== undefined
    problem = undefined
    if (!isSameMaterial(next, material)) take(next)
    else if (wasBad || isAsked) unchanged()
  }

  function take(next: TlsMaterial): void {
    material = next
    onMaterial(next)
    metrics.certificateLive(next.notAfter)
    metrics.reloaded('success')
    log.tlsLoaded(next.notAfter)
  }

  function unchanged(): void {
    metrics.mended()
    log.tlsUnchanged()
  }

  function reject(next: string, isAsked: boolean): void {
    if (next !== problem) metrics.reloaded('failure')
    if (next !== problem || isAsked) log.tlsRejected(next)
    problem = next
  }

  const changes = watchFiles(POLL_MS, () => {
    soon ??= setTimeout(() => {
      soon = undefined
      look(false)
    }, DEBOUNCE_MS).unref()
  })
  changes.follow(first.stamps)
  return {
    reload: () => look(true),
    close() {
      clearTimeout(soon)
      changes.close()
    },
  }
}

function isSameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca
}
