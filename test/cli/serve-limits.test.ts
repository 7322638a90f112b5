/** Limits under concurrency: many Checks at once over real gRPC, at a real process. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type CheckClient, checkOf, createClient } from '../ext-authz/client.ts'
import { createFolder, type Folder, policyText, type Serving, serve } from './serving.ts'

let folder: Folder
let serving: Serving
let clients: CheckClient[]

beforeEach(() => {
  folder = createFolder()
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.close()
  serving.signal('SIGKILL')
  await serving.exit
  folder.remove()
})

/** The status of each of 400 Checks that are under way at once, on four connections: 200 where it is admitted. */
async function statusesOf400(plan: string): Promise<number[]> {
  folder.writePolicy(policyText(folder.key).replace('[{ name: daily, quota: 1000000/day }]', plan))
  serving = await serve(['--policy', folder.policyFile, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'])
  clients = Array.from({ length: 4 }, () => createClient(serving.grpc[0] ?? ''))
  const check = checkOf({ headers: { 'x-api-key': folder.key } })
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => clients.map((client) => client.check(check))).flat(),
  )
  return answers.map(({ deniedResponse }) => deniedResponse?.status.code ?? 200)
}

const count = (statuses: readonly number[], status: number) => statuses.filter((each) => each === status).length

it('of 400 concurrent Checks exactly five are admitted by a quota of five', async () => {
  const statuses = await statusesOf400('[{ name: yearly, quota: 5/year }]')
  expect([count(statuses, 200), count(statuses, 429)]).toEqual([5, 395])
})

it('of 400 concurrent Checks the smallest of three limits admits exactly its own, and the others are charged no more', async () => {
  const statuses = await statusesOf400(
    '[{ name: yearly, quota: 5/year }, { name: longer, quota: 4 per 2y }, { name: pace, rate: 3 per 7000h }]',
  )
  expect([count(statuses, 200), count(statuses, 429)]).toEqual([3, 397])
  const metrics = await (await fetch(`${serving.http}/metrics`)).text()
  expect(metrics).toMatch(/^tenantgate_decisions_total\{decision="deny",reason="rate_limited"\} 397$/m)
})
