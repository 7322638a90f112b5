/** What can befall a Redis, each with its beginning and its end. */
import type { RedisGroup, RedisNode } from '../support/redis-nodes.ts'
import { until } from '../support/until.ts'

export interface Fault {
  readonly name: string
  /** Done to the node that serves. */
  begin(node: RedisNode, given: { readonly budgetMs: number }): Promise<void> | void
  end(node: RedisNode): Promise<void> | void
  /** Who answers meanwhile: the store as always, or each limit's rule. A group with copies may be back before the end. */
  readonly meanwhile: 'store' | 'rule'
  /** Whether the directory can be read all the while. */
  readonly reads?: true
  /** Whether what was counted may be gone afterwards. */
  readonly forgets?: true
  /** Where there are others, one takes over. */
  readonly isDeath?: true
  /** Where others take over it is no fault. */
  readonly only?: readonly RedisGroup['place']['kind'][]
}

const ALONE = ['single'] as const

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9, and a start with nothing',
    begin: (node) => node.kill(),
    end: (node) => node.start(),
    meanwhile: 'rule',
    isDeath: true,
    forgets: true,
  },
  {
    name: 'kill -9, and a start with what was saved',
    begin: async (node) => {
      await node.client.save()
      await node.kill()
    },
    end: (node) => node.start({ keepData: true }),
    meanwhile: 'rule',
    only: ALONE,
  },
  {
    name: 'SIGSTOP',
    begin: (node) => node.freeze(),
    end: (node) => node.thaw(),
    meanwhile: 'rule',
    isDeath: true,
  },
  {
    name: 'read only, as after a demotion',
    begin: async (node) => void (await node.client.replicaof('127.0.0.1', 1)),
    end: async (node) => void (await node.client.replicaof('NO', 'ONE')),
    meanwhile: 'rule',
    reads: true,
    only: ALONE,
  },
  {
    name: 'out of memory',
    begin: async (node) => void (await node.client.config('SET', 'maxmemory', '1')),
    end: async (node) => void (await node.client.config('SET', 'maxmemory', '0')),
    meanwhile: 'rule',
    reads: true,
  },
  {
    name: 'loading its data',
    begin: async (node) => {
      await node.client.eval(FILL, 0, LOADED_KEYS)
      await node.client.save()
      await node.kill()
      await node.start({ keepData: true, args: SLOW_LOADING })
    },
    end: async (node) => {
      await until(async () => (await node.client.config('SET', 'key-load-delay', '0')) || undefined)
    },
    meanwhile: 'rule',
    only: ALONE,
  },
  {
    name: 'SCRIPT FLUSH',
    begin: async (node) => void (await node.client.script('FLUSH')),
    end() {},
    meanwhile: 'store',
  },
  {
    name: 'FLUSHALL',
    begin: async (node) => void (await node.client.flushall()),
    end() {},
    meanwhile: 'store',
    forgets: true,
  },
  {
    name: 'answers that take half the budget',
    begin: ({ wire }, { budgetMs }) => wire.delay((0.5 * budgetMs) / 2),
    end: ({ wire }) => wire.heal(),
    meanwhile: 'store',
  },
  {
    name: 'answers that take longer than the budget',
    begin: ({ wire }, { budgetMs }) => wire.delay((1.5 * budgetMs) / 2),
    end: ({ wire }) => wire.heal(),
    meanwhile: 'rule',
    reads: true,
  },
  {
    name: 'answers that take far longer than the budget',
    begin: ({ wire }, { budgetMs }) => wire.delay((20 * budgetMs) / 2),
    end: ({ wire }) => wire.heal(),
    meanwhile: 'rule',
  },
  {
    name: 'connections reset, and refused',
    begin: ({ wire }) => wire.cut(),
    end: ({ wire }) => wire.heal(),
    meanwhile: 'rule',
  },
  {
    name: 'a wire that holds everything back',
    begin: ({ wire }) => wire.hold(),
    end: ({ wire }) => wire.heal(),
    meanwhile: 'rule',
  },
  {
    name: 'answers that are lost',
    begin: ({ wire }) => wire.swallowAnswers(),
    end: ({ wire }) => wire.heal(),
    meanwhile: 'rule',
  },
  {
    name: 'connections forgotten on the way, without a word',
    begin: ({ wire }) => wire.forget(),
    end() {},
    meanwhile: 'rule',
  },
]

/** So many keys take so long to load that whoever asks meanwhile is told. */
const LOADED_KEYS = 20_000
const FILL = `for i = 1, tonumber(ARGV[1]) do redis.call('SET', 'filler:' .. i, i, 'PX', 600000) end`
/** µs for each key; clients are heard every few keys. */
const SLOW_LOADING = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']
