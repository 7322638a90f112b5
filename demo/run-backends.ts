/** Starts the backends' process, and learns its ports. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Backend } from './backends.ts'
import { type Child, startChild, waitUntilReady } from './child.ts'
import type { Leash } from './leash.ts'

export interface RunningBackends {
  readonly child: Child
  readonly ports: Readonly<Record<Backend, number>>
}

const file = fileURLToPath(new URL(`./backends${extname(import.meta.url)}`, import.meta.url))

export async function runBackends(leash: Leash): Promise<RunningBackends> {
  const child = await startChild('the backends', process.execPath, [file], { leash })
  const line = await waitUntilReady(child, () => child.lines.find((line) => line.includes('"listening"')))
  return { child, ports: JSON.parse(line).ports }
}
