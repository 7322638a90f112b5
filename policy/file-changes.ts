/** Notices that files have changed: by the system's notifications on their folders, and by looking now and then. */
import { type FSWatcher, realpathSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { currentStamp, type Stamp } from './files.ts'

export interface FileChanges {
  /** From now on these files are watched, and no others. Tells at once when one is not as its stamp says. */
  follow(files: ReadonlyMap<string, Stamp>): void
  close(): void
}

/**
 * Milliseconds from the first sign of something in a folder that is not ours to a look: a log file that is written all
 * the time would otherwise have us look with each line.
 */
const LOOK_DELAY_MS = 100

/**
 * Folders are watched instead of files, so that a file renamed over another is seen, and a link that is swapped in the
 * folder (as Kubernetes does for a ConfigMap). Network and container file systems send no notifications; looking finds
 * those changes within `pollMs`. `onChange` may be called more often than files change.
 */
export function watchFiles(pollMs: number, onChange: () => void): FileChanges {
  let files: ReadonlyMap<string, Stamp> = new Map()
  let names: ReadonlySet<string> = new Set()
  let soon: NodeJS.Timeout | undefined
  const folders = new Map<string, FSWatcher>()
  let isClosed = false

  async function look(): Promise<void> {
    const followed = files
    const same = await Promise.all([...followed].map(async ([path, stamp]) => (await currentStamp(path)) === stamp))
    if (!isClosed && followed === files && same.includes(false)) onChange()
  }

  function lookSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined
      void look()
    }, LOOK_DELAY_MS).unref()
  }

  function watchFolder(folder: string): void {
    if (folders.has(folder)) return
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // the name of a file of ours tells of a write that may leave size and time as they were
        if (name === null || names.has(name)) onChange()
        else lookSoon()
      })
      const forget = () => {
        watcher.close()
        folders.delete(folder)
      }
      folders.set(folder, watcher.on('error', forget))
    } catch {
      // the folder is not there, or there are too many watches: looking finds the change
    }
  }

  function watchFolders(): void {
    const wanted = new Set([...files.keys()].flatMap(foldersOf))
    for (const [folder, watcher] of folders) {
      if (wanted.has(folder)) continue
      watcher.close()
      folders.delete(folder)
    }
    for (const folder of wanted) watchFolder(folder)
  }

  const poll = setInterval(() => void look(), pollMs)
  poll.unref()
  return {
    follow(next) {
      files = next
      names = new Set([...next.keys()].map((path) => basename(path)))
      watchFolders()
      void look()
    },
    close() {
      isClosed = true
      clearInterval(poll)
      clearTimeout(soon)
      for (const watcher of folders.values()) watcher.close()
      folders.clear()
    },
  }
}

/** The folder a path names and the one it leads to. */
function foldersOf(path: string): readonly string[] {
  try {
    return [dirname(path), dirname(realpathSync(path))]
  } catch {
    return [dirname(path)]
  }
}
