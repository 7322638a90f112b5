/** A client in a process of its own that calls at a steady pace, and tells how long answers took. */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { asked } from './child-answer.ts'

/** Calls the server at once, `perSecond` times a second, with the gRPC message of that file; the caller kills it. */
export function startPaced(socket: string, messageFile: string, perSecond: number): ChildProcess {
  return fork(new URL(`./paced${extname(import.meta.url)}`, import.meta.url), [socket, messageFile, `${perSecond}`])
}

/** ms of each answer since this was asked last, from when its call was due. Rejects when the client has ended: it has said why. */
export function latenciesOf(client: ChildProcess): Promise<readonly number[]> {
  return asked(client, 'tell', 'the client that calls at a steady pace has ended')
}
