/** The requests that are measured: a dozen headers, as a browser's request through a gateway has them. */
import type { GatewayRequest } from '../core/request.ts'
import { loadAuthorization } from '../ext-authz/service.ts'

const PATH = '/v1/orders/17?expand=lines'
const HOST = 'api.bench'
const CLIENT = '192.0.2.1'
const ID = '6d1f3c1e-5f4c-9b3c-8e53-2f1f5f0f7d11'

/** A token makes a request of about 1.2 kB; a cookie brings one with a key to the same size. */
export const SIZE_BYTES = 1200

function headersWith(credential: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ':method': 'GET',
    ':path': PATH,
    ':authority': HOST,
    ':scheme': 'https',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
    accept: 'application/json, text/plain, */*',
    'accept-language': 'en-GB,en;q=0.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': CLIENT,
    'x-request-id': ID,
    ...credential,
  }
}

/** As an adapter hands it to the core. */
export function gatewayRequest(credential: Readonly<Record<string, string>>): GatewayRequest {
  return { id: ID, method: 'GET', host: HOST, path: PATH, headers: headersWith(credential), clientAddress: CLIENT }
}

/** The same as the bytes of one gRPC message (five bytes of prefix, then the CheckRequest), filled up to `SIZE_BYTES`. */
export function checkMessage(credential: Readonly<Record<string, string>>): Buffer {
  const headers = headersWith(credential)
  const bare = checkBytes(headers)
  headers.cookie = `session=${'0'.repeat(Math.max(0, SIZE_BYTES - bare.length - 'cookie  session= '.length))}`
  const body = checkBytes(headers)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(body.length, 1)
  return Buffer.concat([prefix, body])
}

function checkBytes(headers: Readonly<Record<string, string>>): Buffer {
  const address = (text: string, portValue: number) => ({ address: { socketAddress: { address: text, portValue } } })
  const http = { id: '7', method: 'GET', host: HOST, path: PATH, scheme: 'https', protocol: 'HTTP/2', headers }
  const attributes = { source: address(CLIENT, 40_000), destination: address('192.0.2.9', 8443), request: { http } }
  // the definition's type knows only what we read
  return loadAuthorization().Check.requestSerialize({ attributes })
}
