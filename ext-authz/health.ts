/** grpc.health.v1 for the services of this server, with an end for those who watch it: an open watch would hold up a drain. */
import type { Server, ServerWritableStream, UntypedHandleCall } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'

export interface Health {
  /** Tells everyone who asks or watches that no more calls are wanted, and ends the watches. */
  stopServing(): void
}

type Watch = ServerWritableStream<unknown, unknown>

/** Adds the health service; `services` are SERVING from now on, and so is the empty name, which stands for the whole server. */
export function addHealth(server: Server, services: readonly string[]): Health {
  const names = ['', ...services]
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'SERVING'])))
  const watches = new Set<Watch>()
  health.addToServer({
    addService(definition, implementation) {
      const watch = implementation.watch as ((call: Watch) => void) | undefined
      const remembered = (call: Watch) => {
        watches.add(call)
        call.once('close', () => watches.delete(call))
        call.once('cancelled', () => watches.delete(call))
        watch?.(call)
      }
      server.addService(definition, { ...implementation, watch: remembered as UntypedHandleCall })
    },
  })
  return {
    stopServing() {
      for (const name of names) health.setStatus(name, 'NOT_SERVING')
      for (const call of watches) call.end()
      watches.clear()
    },
  }
}
