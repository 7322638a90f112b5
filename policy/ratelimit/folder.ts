/**
 * The files of a configuration: all in the folder and in folders in it, whatever their names, as envoyproxy/ratelimit
 * reads them. What begins with a dot is left out, as it does with RUNTIME_IGNOREDOTFILES=true: Kubernetes keeps its
 * own copies of a ConfigMap there.
 */
import { createHash } from 'node:crypto'
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readText, type Stamp, stampOf } from '../files.ts'
import type { Problem } from '../problem.ts'

export interface ConfigFile {
  /** As the user named the folder, with the file's name behind it. */
  readonly name: string
  readonly text: string
}

export interface FolderContent {
  /** In the order of their names, folder by folder. */
  readonly files: readonly ConfigFile[]
  readonly problems: readonly Problem[]
  readonly notes: readonly Problem[]
  /** Of all files and folders, by absolute path. */
  readonly stamps: ReadonlyMap<string, Stamp>
  /** The same for the same names and texts. */
  readonly version: string
}

const MAX_FILES = 1000
const MAX_BYTES = 16 * 1024 * 1024
const MAX_DEPTH = 16

/** Never throws. */
export function readFolder(folder: string): FolderContent {
  const files: ConfigFile[] = []
  const problems: Problem[] = []
  const notes: Problem[] = []
  const stamps = new Map<string, Stamp>()
  let bytes = 0
  let isTooMuch = false
  const about = (file: string, message: string): Problem => ({ file, line: 1, column: 1, path: '', message })

  function readEntry(parent: string, entry: Dirent, depth: number): void {
    const name = join(parent, entry.name)
    if (entry.name.startsWith('.')) {
      if (/\.ya?ml$/.test(entry.name)) notes.push(about(name, 'is not read: its name begins with a dot'))
    } else if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) readIn(name, depth + 1)
      else problems.push(about(name, `is more than ${MAX_DEPTH} folders deep`))
    } else if (entry.isSymbolicLink() && leadsToFolder(name)) {
      notes.push(about(name, 'is not read: it is a link to a folder'))
    } else readFile(name)
  }

  function readFile(name: string): void {
    if (files.length === MAX_FILES) tooMuch(`more than ${MAX_FILES} files`)
    if (isTooMuch) return
    const answer = readText(name)
    stamps.set(resolve(name), answer.stamp)
    if ('failure' in answer) problems.push(about(name, answer.failure))
    else {
      bytes += answer.text.length
      files.push({ name, text: answer.text })
      if (bytes > MAX_BYTES) tooMuch('more than 16 MB')
    }
  }

  function tooMuch(what: string): void {
    if (isTooMuch) return
    isTooMuch = true
    problems.push(about(folder, `holds ${what}`))
  }

  function readIn(name: string, depth: number): void {
    stamps.set(resolve(name), stampOf(name))
    try {
      const entries = readdirSync(name, { withFileTypes: true })
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) readEntry(name, entry, depth)
    } catch (error) {
      problems.push(about(name, failureOf(error)))
    }
  }

  readIn(folder, 0)
  if (files.length === 0 && problems.length === 0)
    problems.push({ ...about(folder, 'holds no file'), fix: 'a file with `domain: …` into it' })
  return { files, problems, notes, stamps, version: versionOf(files) }
}

function leadsToFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
}

function failureOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return FAILURES[code] ?? `cannot be read${code === '' ? '' : ` (${code})`}`
}

function versionOf(files: readonly ConfigFile[]): string {
  const hash = createHash('sha256')
  for (const { name, text } of files) hash.update(JSON.stringify([name, text]))
  return hash.digest('base64url')
}
