/** A request whose stages are asked one by one, as Kong's plugins do: it is one request, and differs once. */
import { LRUCache } from 'lru-cache'
import type { Difference, DifferenceKind } from '../../../core/candidate/compare.ts'
import type { Stages } from '../../../core/decide.ts'

export interface StagesOfOne {
  /** What must be over first: the earlier stages of the same request, where they wait for something. */
  before(stages: Stages | undefined): Promise<unknown> | undefined
  underWay(stages: Stages | undefined, work: Promise<unknown>): void
  /** Whether the candidate has refused the request at an earlier stage: its gateway would ask no more. */
  isOver(stages: Stages | undefined): boolean
  refused(stages: Stages | undefined): void
  /** Those of a kind that no earlier stage has told. */
  untold(stages: Stages | undefined, differences: readonly Difference[]): readonly Difference[]
}

interface Known {
  isOver: boolean
  last: Promise<unknown> | undefined
  readonly told: Set<DifferenceKind>
}

/** Stages of one request follow each other within milliseconds. */
const MOST_REQUESTS = 10_000

/** Remembers only requests that differ or wait. Ids are the gateway's own: no client can have its requests taken for another's. */
export function createStagesOfOne(): StagesOfOne {
  const requests = new LRUCache<string, Known>({ max: MOST_REQUESTS })

  function known(stages: Stages | undefined): Known | undefined {
    return stages?.of === undefined ? undefined : requests.get(stages.of)
  }

  function noted(stages: Stages | undefined): Known | undefined {
    if (stages?.of === undefined) return undefined
    const request = requests.get(stages.of) ?? { isOver: false, last: undefined, told: new Set() }
    requests.set(stages.of, request)
    return request
  }

  return {
    before: (stages) => known(stages)?.last,
    underWay(stages, work) {
      const request = noted(stages)
      if (request) request.last = work
    },
    isOver: (stages) => known(stages)?.isOver === true,
    refused(stages) {
      const request = noted(stages)
      if (request) request.isOver = true
    },
    untold(stages, differences) {
      const request = differences.length === 0 ? undefined : noted(stages)
      if (!request) return differences
      const fresh = differences.filter(({ kind }) => !request.told.has(kind))
      for (const { kind } of fresh) request.told.add(kind)
      return fresh
    },
  }
}
