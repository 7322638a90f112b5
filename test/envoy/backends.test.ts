/** What Envoy makes of a backend's answers, and of connections that become WebSockets. */
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { allow, type Gateway, startGateway } from '../support/gateway.ts'

/** Tells what it should not, and echoes on upgraded connections. */
const backend = createServer((request, response) => {
  const told = Object.keys(request.headers).filter((name) => name.startsWith('x-envoy-'))
  const secrets = {
    server: 'product/1.2.3',
    'x-tenant-id': 'acme',
    X_User_Id: 'user-1',
    'x-tenantgate-upstream': 'here',
  }
  response.writeHead(200, { ...secrets, 'x-own': 'kept' })
  response.end(JSON.stringify(told))
})
backend.on('upgrade', (_, socket) => {
  socket.on('error', () => {})
  socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n')
  socket.pipe(socket)
})

let gateway: Gateway
beforeAll(async () => {
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  gateway = await startGateway({ 'orders-stable': port, 'orders-beta': port, 'orders-canary': port })
})
afterAll(async () => {
  await gateway.stop()
  backend.closeAllConnections()
  backend.close()
})
beforeEach(() => {
  gateway.checks.length = 0
  gateway.answer = () => allow()
})

it('a client is told neither identity headers nor product nor what Envoy does inside', async () => {
  const { status, headers } = await gateway.ask({ path: '/' })
  expect([status, headers.server, headers['x-own']]).toEqual([200, 'gateway', 'kept'])
  expect(Object.keys(headers).filter((name) => /^x[-_](tenant|user|tenantgate|envoy)[-_]/.test(name))).toEqual([])
})

it('a backend is told nothing of time-outs and retries', async () => {
  const { body } = await gateway.ask({ path: '/' })
  expect(JSON.parse(body)).toEqual(['x-envoy-external-address'])
})

it('a WebSocket is decided once, at its handshake', async () => {
  const answer = await webSocket('hello')
  expect(answer).toMatch(/^HTTP\/1\.1 101 [\s\S]*hello$/)
  expect(gateway.checks.map(({ method, path }) => [method, path])).toEqual([['GET', '/socket']])
})

it('a WebSocket that the sidecar refuses never reaches the backend', async () => {
  gateway.answer = () => ({
    status: { code: 16 },
    deniedResponse: { status: { code: 401 }, headers: [], body: 'refused' },
    dynamicMetadata: { fields: { decision: { stringValue: 'deny' } } },
  })
  expect(await webSocket('refused')).toMatch(/^HTTP\/1\.1 401 [\s\S]*refused$/)
})

/** Shakes hands, says `hello` once it may, and returns all that came when it ends in `last`. */
function webSocket(last: string): Promise<string> {
  const lines = ['GET /socket HTTP/1.1', 'Host: a.example', 'Connection: Upgrade', 'Upgrade: websocket']
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGVzdA==']
  return new Promise((resolve, reject) => {
    let got = ''
    const socket = connect(gateway.envoy.port, '127.0.0.1', () => socket.write([...lines, ...key, '', ''].join('\r\n')))
    socket.once('error', reject)
    socket.on('data', (chunk) => {
      got += chunk
      if (got.includes(' 101 ') && got.endsWith('\r\n\r\n')) socket.write('hello')
      if (!got.endsWith(last)) return
      socket.destroy()
      resolve(got)
    })
  })
}
