/** Runs in a worker thread: reads and parses a folder of ratelimit configuration, and hands over what it found. */
import { parentPort, workerData } from 'node:worker_threads'
import { type DescriptorSource, readDescriptors } from './load.ts'

export interface DescriptorOrder extends DescriptorSource {
  readonly known: string | undefined
}

const port = parentPort
if (!port) throw new Error('this file runs in a worker thread')
const { known, ...source }: DescriptorOrder = workerData

// as for a policy: the YAML parser asks the environment with every token, and the real one is slow to ask
Object.defineProperty(process, 'env', { value: {} })

port.postMessage(readDescriptors(source, known))
