/** Sends many requests to a gateway over 16 connections that stay open, and tells which backend has answered each. */
import { Agent, request } from 'node:http'

const CONNECTIONS = 16

/** One request for each of `headers`, in their order; what cannot be read, or is no 200, throws. */
export async function askAll(
  port: number,
  path: string,
  headers: readonly Readonly<Record<string, string>>[],
): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const backends: string[] = []
  let next = 0
  const lane = async () => {
    while (next < headers.length) {
      const index = next
      next += 1
      backends[index] = await backendOf(agent, port, path, headers[index] ?? {})
    }
  }
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, lane))
  } finally {
    agent.destroy()
  }
  return backends
}

function backendOf(agent: Agent, port: number, path: string, headers: Readonly<Record<string, string>>) {
  return new Promise<string>((resolve, reject) => {
    const asked = request({ agent, host: '127.0.0.1', port, path, headers }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode !== 200) reject(new Error(`${answer.statusCode}: ${body}`))
        else resolve(JSON.parse(body).backend)
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
