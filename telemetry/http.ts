/** Pages for machines: probes, metrics, the keys that verify signed identities, and nothing else. */
import { createServer, type Server } from 'node:http'
import type { Metrics } from './metrics.ts'

interface Page {
  readonly status: number
  readonly text: string
  readonly contentType?: string
  /** Default: nobody keeps it. */
  readonly cacheControl?: string
}

const TEXT = 'text/plain; charset=utf-8'
const NOT_FOUND: Page = { status: 404, text: 'not found\n' }
const BROKEN: Page = { status: 500, text: 'internal error\n' }
const NOT_ALLOWED: Page = { status: 405, text: 'only GET and HEAD\n' }

export interface HttpParts {
  readonly metrics: Pick<Metrics, 'scrape'>
  /** Why no traffic should come now, e.g. `draining`, and what is not as usual while it may; each in words, or absent. */
  readonly health: () => { readonly notReady?: string; readonly degraded?: string }
  /** A JWK set for backends; undefined where the live policy has us sign nothing. */
  readonly identityKeys: () => Promise<object> | undefined
}

/** Milliseconds. Time-outs are looked for every second; otherwise silent connections could fill all places for half a minute. */
const TIMES = {
  requestTimeout: 5_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}

/** A server that is not listening yet. Its timeouts are short: those who ask are near and ask for little. */
export function createHttpServer({ metrics, health, identityKeys }: HttpParts): Server {
  const pages: Readonly<Record<string, () => Page | Promise<Page>>> = {
    '/healthz': () => ({ status: 200, text: 'ok\n' }),
    '/readyz': () => readiness(health()),
    '/metrics': async () => ({ status: 200, ...(await metrics.scrape()) }),
    '/.well-known/jwks.json': async () => keySet(await identityKeys()),
  }
  const server = createServer(TIMES)
  server.maxConnections = 256
  server.on('request', async (request, response) => {
    const page = await pageFor(pages, request.method, request.url).catch(() => BROKEN)
    response.writeHead(page.status, {
      'content-type': page.contentType ?? TEXT,
      'content-length': Buffer.byteLength(page.text),
      'cache-control': page.cacheControl ?? 'no-store',
      ...(page === NOT_ALLOWED && { allow: 'GET, HEAD' }),
    })
    response.end(request.method === 'HEAD' ? undefined : page.text)
  })
  return server
}

async function pageFor(
  pages: Readonly<Record<string, () => Page | Promise<Page>>>,
  method: string | undefined,
  url: string | undefined,
): Promise<Page> {
  const path = url?.split('?', 1)[0] ?? ''
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  if (page === undefined) return NOT_FOUND
  return method === 'GET' || method === 'HEAD' ? await page() : NOT_ALLOWED
}

function readiness({ notReady, degraded }: ReturnType<HttpParts['health']>): Page {
  if (notReady !== undefined) return { status: 503, text: `${notReady}\n` }
  return { status: 200, text: degraded === undefined ? 'ready\n' : `ready, degraded: ${degraded}\n` }
}

/** RFC 7517 §8.5. A key is published before it signs, for longer than this many seconds. */
const KEYS = { contentType: 'application/jwk-set+json', cacheControl: 'public, max-age=300' }

function keySet(keys: object | undefined): Page {
  return keys === undefined ? NOT_FOUND : { status: 200, text: JSON.stringify(keys), ...KEYS }
}
