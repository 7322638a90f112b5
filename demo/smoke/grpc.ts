/** gRPC clients: a refusal arrives as a status and a message that their library shows. */
import { equal } from 'node:assert/strict'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Case } from './case.ts'

/** Calls a method with an empty message; the error that the library gives. */
export function callError(port: number, method: string, metadata = new Metadata()): Promise<ServiceError | null> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const nothing = (value: Buffer) => value
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + 10_000 }
    client.makeUnaryRequest(method, nothing, nothing, Buffer.alloc(0), metadata, options, (error) => {
      client.close()
      resolve(error)
    })
  })
}

export const grpcCases: readonly Case[] = [
  {
    name: 'a gRPC client without a credential gets UNAUTHENTICATED and a message',
    async check({ port }) {
      const error = await callError(port, '/orders.v1.Orders/List')
      equal(error?.code, status.UNAUTHENTICATED, String(error))
      equal(error?.details, 'This resource needs a credential.')
    },
  },
  {
    name: 'a gRPC client with a key, on a method that no route is for, gets PERMISSION_DENIED',
    async check({ port, credentials: { keys } }) {
      const metadata = new Metadata()
      metadata.set('x-api-key', keys.initech)
      const error = await callError(port, '/admin.v1.Admin/Reset', metadata)
      equal(error?.code, status.PERMISSION_DENIED, String(error))
      equal(error?.details, 'No route is open for this request.')
    },
  },
]
