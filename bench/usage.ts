/** What it costs to count a decision, and to write what was counted. */
import { createJournal, type Journal } from '../stores/usage/journal.ts'
import { createMemoryKeeper } from '../stores/usage/memory-keeper.ts'
import { measureSteps, noiseText, reference, type Step } from './measure.ts'
import type { Table } from './table.ts'

const NOON = Date.UTC(2026, 10, 22, 12)
const TENANTS = 200
const LINES = 5000
/** More than a tenant has lines: most are counted among others. */
const USERS = 20_000
/** In each call, so that what is small is seen beside the loop around it. */
const TOGETHER = 1000

export async function benchUsage(): Promise<Table> {
  const figures = await measureSteps([
    reference(),
    counting(`${TOGETHER} counts of one line`, 1, () => 'ci'),
    counting(`${TOGETHER} counts of ${LINES} lines of ${TENANTS} tenants`, TENANTS, (index) => `c${index % 25}`),
    counting(`${TOGETHER} counts of ${USERS} users of one tenant`, 1, (index) => `user-${index % USERS}`),
    writing(),
  ])
  return {
    title: 'usage: CPU per decision that is counted, and per flush',
    reference: 'JSON.parse of 1 kB',
    figures,
    notes: [noiseText(figures[0]), `the budget is 100 ns for each count; a flush is of ${LINES} lines, in memory`],
  }
}

function counting(name: string, tenants: number, credentialOf: (index: number) => string): Step {
  const journal = createJournal(createMemoryKeeper(), () => NOON)
  const uses = usesOf(tenants, credentialOf)
  let next = 0
  const call = () => {
    for (let times = 0; times < TOGETHER; times++) next = countOne(journal, uses, next)
  }
  return { name, call, budget: TOGETHER * 0.1 }
}

/** As a gate does: the line is told by an object made for it. */
function countOne(journal: Journal, uses: readonly Names[], at: number): number {
  const { tenant, credential, route } = uses[at] ?? NOBODY
  journal.count({ tenant, credential, route, outcome: 'allowed' }, NOON)
  return at + 1 < uses.length ? at + 1 : 0
}

function writing(): Step {
  const journal = createJournal(createMemoryKeeper(), () => NOON)
  const uses = usesOf(TENANTS, (index) => `c${index % 25}`).slice(0, LINES)
  return {
    name: `count and write ${LINES} lines`,
    call: () => {
      for (let at = 0; at < LINES; at++) countOne(journal, uses, at)
      return journal.flush()
    },
  }
}

interface Names {
  readonly tenant: string
  readonly credential: string
  readonly route: string
}

const NOBODY: Names = { tenant: '', credential: '', route: '' }

/** The same names are the same strings, as those of a policy are. */
function usesOf(tenants: number, credentialOf: (index: number) => string): readonly Names[] {
  const names = new Map<string, string>()
  const same = (name: string) => {
    if (!names.has(name)) names.set(name, name)
    return names.get(name) ?? name
  }
  return Array.from({ length: USERS }, (_, index) => ({
    tenant: same(`t${index % tenants}`),
    credential: same(credentialOf(Math.floor(index / tenants))),
    route: tenants === 1 ? 'orders' : same(`r${index % 10}`),
  }))
}
