/** Installs one Python wheel into a private folder, without root, by the pip that people have already. */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { runToEnd } from './run-to-end.ts'

export type Env = Readonly<Record<string, string | undefined>>

interface WheelOptions {
  /** `name==version`. */
  readonly wheel: string
  /** Where it goes; the folder is whole or not there. */
  readonly folder: string
  readonly env: Env
  /** Called when there is a pip and it is about to be asked. */
  readonly onInstall: () => void
  /** Whether what lies in a folder runs here. */
  readonly isUsable: (folder: string) => Promise<boolean>
}

const INSTALL = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:']

/**
 * Installs beside the final place and renames, so that what is there is whole, and two that install at once do not meet:
 * the second rename fails, and the first one's copy is used. The caller looks whether the folder is usable afterwards.
 */
export async function installWheel({ wheel, folder, env, onInstall, isUsable }: WheelOptions): Promise<void> {
  const python = await pythonWithPip(env)
  if (python === undefined) return
  const building = `${folder}.${randomUUID()}`
  await mkdir(dirname(folder), { recursive: true })
  onInstall()
  try {
    const done = await runToEnd(python, [...INSTALL, '--target', building, wheel], { env, timeoutMs: 300_000 })
    if (done === undefined || !(await isUsable(building))) return
    if (!(await isUsable(folder))) await replaceFolder(building, folder)
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

/** A copy that does not run (the file system of another machine, perhaps) gives way. */
async function replaceFolder(from: string, to: string): Promise<void> {
  const aside = `${to}.${randomUUID()}`
  await rename(to, aside).catch(() => {})
  await rename(from, to).catch(() => {})
  await rm(aside, { recursive: true, force: true })
}

/** The command of a Python that has pip. */
export async function pythonWithPip(env: Env): Promise<string | undefined> {
  for (const python of ['python3', 'python']) {
    if ((await runToEnd(python, ['-m', 'pip', '--version'], { env })) !== undefined) return python
  }
  return undefined
}
