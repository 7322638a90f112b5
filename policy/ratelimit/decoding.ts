/** What every part of the decoding shares: places, where to tell of faults, what aliases and `<<` stand for. */
import { type Alias, isAlias, isScalar, isSeq, type Node } from 'yaml'
import type { Fault, PolicyPath } from '../problem.ts'

/** Where something stands. */
export interface Spot {
  readonly path: PolicyPath
  readonly offset: number
}

export interface Telling {
  problem(spot: Spot, fault: Omit<Fault, 'path'>): void
  note(spot: Spot, fault: Omit<Fault, 'path'>): void
}

export interface Decoding extends Telling {
  readonly targets: ReadonlyMap<Alias, Node>
}

/** What an alias stands for. */
export function behind(node: unknown, { targets }: Pick<Decoding, 'targets'>): unknown {
  return isAlias(node) ? targets.get(node) : node
}

export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN'
}

export const NOT_MERGED = { message: 'merges what is not a map', fix: 'an alias of a map' }

/** What `<<` brings in: the first of several maps counts most, so it is read last. */
export function mergedMaps(value: unknown, decoding: Pick<Decoding, 'targets'>): readonly unknown[] {
  const source = behind(value, decoding)
  return isSeq(source) ? source.items.map((item) => behind(item, decoding)).reverse() : [source]
}
