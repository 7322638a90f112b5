/** How `serve` starts: what stands in its way is told in words, and nothing that serves is taken away. */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkOf, createClient } from '../ext-authz/client.ts'
import { createFolder, type Folder, run, type Serving, serve } from './serving.ts'

let folder: Folder
const started: Serving[] = []

async function start(...args: string[]): Promise<Serving> {
  const serving = await serve(['--policy', folder.policyFile, '--http', 'off', ...args])
  started.push(serving)
  return serving
}

beforeEach(() => {
  folder = createFolder()
})

afterEach(async () => {
  for (const serving of started.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  folder.remove()
})

async function statusOn(address: string): Promise<number | undefined> {
  const client = createClient(address)
  const answer = await client.check(checkOf({ headers: { 'x-api-key': folder.key } }))
  client.close()
  return answer.status.code
}

describe('a Unix socket', () => {
  it('is open to owner and group alone, and gone after a stop', async () => {
    const path = `${folder.path}/tg.sock`
    const serving = await start('--listen', `unix:${path}`)
    expect(statSync(path).mode & 0o777).toBe(0o660)
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  it('left behind by a killed process does not stop a start', async () => {
    const path = `${folder.path}/tg.sock`
    const killed = await start('--listen', `unix:${path}`)
    killed.signal('SIGKILL')
    await killed.exit
    expect(existsSync(path)).toBe(true)
    await start('--listen', `unix:${path}`)
    expect(await statusOn(`unix:${path}`)).toBe(0)
  })

  it('of a process that serves is never taken from it', async () => {
    const path = `${folder.path}/tg.sock`
    await start('--listen', `unix:${path}`)
    const inode = statSync(path).ino
    const second = await run(['serve', '--policy', folder.policyFile, '--listen', `unix:${path}`, '--http', 'off'])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('another process is serving on it')
    expect(second.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(statSync(path).ino).toBe(inode)
    expect(await statusOn(`unix:${path}`)).toBe(0)
  })

  it('that has become another’s is not removed at a stop', async () => {
    const path = `${folder.path}/tg.sock`
    const { renameSync } = await import('node:fs')
    const first = await start('--listen', `unix:${path}`)
    const second = await start('--listen', `unix:${path}.new`)
    renameSync(`${path}.new`, path)
    first.signal('SIGTERM')
    expect(await first.exit).toBe(0)
    expect(await statusOn(`unix:${path}`)).toBe(0)
    second.signal('SIGTERM')
    expect(await second.exit).toBe(0)
  })

  it('is not made in a folder that is a file', async () => {
    const listen = `unix:${folder.policyFile}/gate.sock`
    const { code, stderr } = await run(['serve', '--policy', folder.policyFile, '--listen', listen])
    expect([code, stderr]).toEqual([1, `tenantgate: ${listen}: what should be its folder is a file\n`])
  })

  it('is not made where a file of another kind is', async () => {
    const path = `${folder.path}/notes.txt`
    writeFileSync(path, 'mine')
    const { code, stderr } = await run([
      'serve',
      '--policy',
      folder.policyFile,
      '--listen',
      `unix:${path}`,
      '--http',
      'off',
    ])
    expect([code, stderr]).toEqual([1, expect.stringContaining('a file of another kind')])
    expect(statSync(path).size).toBe(4)
  })
})

describe('what cannot be had', () => {
  it('a port in use is one line and exit 1, and the listeners before it are given up', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const socket = `${folder.path}/tg.sock`
    const args = ['--listen', `unix:${socket}`, '--listen', `127.0.0.1:${port}`, '--http', 'off']
    const { code, stderr } = await run(['serve', '--policy', folder.policyFile, ...args])
    other.close()
    expect(code).toBe(1)
    expect(stderr).toBe(
      `tenantgate: 127.0.0.1:${port}: another process listens there; stop it, or choose another address\n`,
    )
    expect(existsSync(socket)).toBe(false)
  })

  it('a bad policy is told as problems, with exit 1', async () => {
    folder.writePolicy('version: 1\nbogus: 1\n')
    const { code, stdout, stderr } = await run(['serve', '--policy', folder.policyFile])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^\S+tenantgate\.yaml:2:1: bogus: /m)
  })

  it('TCP beyond loopback says that it needs client certificates', async () => {
    const { code, stderr } = await run(['serve', '--policy', folder.policyFile, '--listen', '0.0.0.0:9001'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('TLS client certificates')])
  })

  it('a name instead of an IP address is told as such', async () => {
    const { code, stderr } = await run(['serve', '--policy', folder.policyFile, '--listen', 'example.test:9001'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not name an IP address')])
  })
})

it('the environment gives what the command line leaves out', async () => {
  const env = {
    TENANTGATE_POLICY: folder.policyFile,
    TENANTGATE_LISTEN: `unix:${folder.path}/a.sock,unix:${folder.path}/b.sock`,
    TENANTGATE_HTTP: '127.0.0.1:0',
  }
  const serving = await serve(['--http', 'off'], env)
  started.push(serving)
  expect(serving.grpc).toEqual([`unix:${folder.path}/a.sock`, `unix:${folder.path}/b.sock`])
  expect(serving.http).toBe('http://undefined')
})
