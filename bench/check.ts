/** CPU of the server's process per Check over gRPC on the Unix socket, as fast as it goes, beside a server that decides nothing. */
import { join } from 'node:path'
import { loadAuthorization } from '../ext-authz/service.ts'
import { CHECK_PATH } from './caller.ts'
import { type Contender, contend } from './contend.ts'
import { benchPolicy, temporaryFolder } from './policies.ts'
import { checkMessage } from './requests.ts'
import { type ServerProcess, startEmptyServer, startServe } from './server-process.ts'
import type { Table } from './table.ts'

export async function benchCheck(): Promise<Table> {
  const folder = temporaryFolder()
  const { text, files, key, token } = await benchPolicy()
  for (const [name, content] of Object.entries(files)) folder.write(name, content)
  const empty = await startEmptyServer(join(folder.path, 'empty.sock'))
  const serve = await startServe(folder.write('policy.yaml', text), join(folder.path, 'serve.sock'))
  const contender = (name: string, server: ServerProcess, message: Buffer, budget?: number): Contender => {
    const file = folder.write(`${name.replaceAll(/\W/g, '-')}.bin`, message)
    return { name, server, message, file, ...(budget !== undefined && { budget }) }
  }
  const byKey = checkMessage({ 'x-api-key': key })
  const byToken = checkMessage({ authorization: `Bearer ${token}` })
  try {
    return await contend({
      title: 'check: CPU of the server per Check over gRPC on a Unix socket, at saturation',
      path: CHECK_PATH,
      assertGood: assertAllowed,
      contenders: [
        contender('empty Check, grpc-js', empty, byToken),
        contender('Check: API key, 3 limits, flag', serve, byKey, 65),
        contender('Check: RS256 token, 3 limits, flag', serve, byToken, 65),
      ],
    })
  } finally {
    await Promise.all([empty.stop(), serve.stop()])
    folder.remove()
  }
}

function assertAllowed(answer: Buffer): void {
  const code = loadAuthorization().Check.responseDeserialize(answer).status?.code ?? 0
  if (code !== 0) throw new Error(`the request to measure is refused with status ${code}`)
}
