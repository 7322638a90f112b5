/** A process with a plugin that leaves promises alone: it prints its socket's path when it serves, and each fault. */
import { createServer } from 'node:net'
import { outliveRejections } from '../../../cli/service/outlive-rejections.ts'
import type { Kong } from '../../../kong/pdk.ts'
import { createPluginServer } from '../../../kong/plugin-server/server.ts'

const [, , path = ''] = process.argv
const onFault = (fault: unknown) => process.stdout.write(`${(fault as Error).message}\n`)
outliveRejections(onFault)

async function later(kong: Kong): Promise<void> {
  await kong.nginx.getVar('a')
  await new Promise((resolve) => setImmediate(resolve))
  await kong.nginx.getVar('b')
}

class Plugin {
  async access(kong: Kong): Promise<void> {
    void kong.nginx.getVar('c')
    void later(kong)
    void Promise.reject(new Error('left alone'))
  }
}

const server = createPluginServer({
  plugins: new Map([['floating', { Plugin, Schema: [], Version: '0.1.0', Priority: 1 }]]),
  decide: undefined,
  onFault,
  onRejected: () => {},
  now: Date.now,
  elapsed: () => performance.now(),
  firstInstanceId: 1,
})
createServer((socket) => server.accept(socket)).listen(path, () => process.stdout.write(`${path}\n`))
