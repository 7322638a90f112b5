/** The policy is edited while requests pass: a good one takes effect, a broken one does not, nothing restarts. */
import { equal } from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import type { Stack } from '../stack.ts'
import { type Case, eventually } from './case.ts'
import { key } from './credentials.ts'
import { exchange } from './exchange.ts'

const askAs = async (demo: Stack) => exchange(demo.port, { path: '/v1/orders/1', headers: key(demo, 'initech') })

/** As editors do: the new content beside the old, then renamed over it. */
function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function setStatus(file: string, status: 'active' | 'suspended'): void {
  const policy = parseDocument(readFileSync(file, 'utf8'))
  policy.setIn(['tenants', 'initech', 'status'], status)
  replaceFile(file, policy.toString())
}

export const livePolicyCases: readonly Case[] = [
  {
    name: 'a tenant suspended in the policy file is refused without a restart',
    async check(demo) {
      setStatus(demo.policyFile, 'suspended')
      await eventually('the refusal', async () => (await askAs(demo)).json.code === 'tenant_suspended')
    },
  },
  {
    name: 'a broken policy file is not taken: the last good one stays, and the log says why',
    async check(demo) {
      const good = readFileSync(demo.policyFile, 'utf8')
      replaceFile(demo.policyFile, `${good}\nplans: [this is no policy]\n`)
      const said = () => demo.sidecarLog().some((line) => line.includes('policy rejected'))
      await eventually('the line in the log', async () => said())
      equal((await askAs(demo)).json.code, 'tenant_suspended')
      replaceFile(demo.policyFile, good)
    },
  },
  {
    name: 'the tenant is served again when the file says so',
    async check(demo) {
      setStatus(demo.policyFile, 'active')
      await eventually('the answer', async () => (await askAs(demo)).status === 200)
    },
  },
]
