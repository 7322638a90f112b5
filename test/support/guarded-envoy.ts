/** A real Envoy with the real gate behind it, on the reference configuration with parts of it turned on. */
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { GatewayRequest } from '../../core/request.ts'
import { startBackends } from '../../demo/backends.ts'
import { referenceFile } from '../../demo/envoy-config.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { socketFolder, startEnvoy } from './envoy.ts'
import { gateOf, policyOf } from './gate.ts'

/** The reference with the parts behind these marks (`#tls| `) turned on, and other texts in the place of some of its own. */
export function referenceWith(marks: readonly string[], texts: Readonly<Record<string, string>> = {}): string {
  let yaml = readFileSync(referenceFile, 'utf8')
  for (const mark of marks) yaml = yaml.replaceAll(`#${mark}| `, '')
  for (const [text, other] of Object.entries(texts)) {
    if (!yaml.includes(text)) throw new Error(`the reference does not say '${text}'`)
    yaml = yaml.replaceAll(text, other)
  }
  return yaml
}

/** The reference with TLS, as its comments say, and the files of this folder. */
export function referenceWithTls(folder: string, texts: Readonly<Record<string, string>> = {}): string {
  return referenceWith(['tls'], { '/etc/tenantgate/': `${folder}/`, ...texts })
}

export interface GuardedEnvoy {
  readonly port: number
  /** What the gate was asked, oldest first. */
  readonly requests: GatewayRequest[]
  stop(): Promise<void>
}

/** Decides by `policy`, a policy's text, at the machine's time. */
export async function startGuardedEnvoy(policy: string, yaml: string): Promise<GuardedEnvoy> {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  const gate = gateOf(policyOf(policy))
  const requests: GatewayRequest[] = []
  const check = createCheck((request) => {
    requests.push(request)
    return gate.ask(request, Date.now())
  })
  const faults: unknown[] = []
  const grpc = createGrpcServer({
    check,
    onFault: (fault) => faults.push(fault),
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const sidecar = createServer((connection) => grpc.accept(connection))
  await new Promise<void>((resolve) => sidecar.listen(sidecarSocket, resolve))
  const backends = await startBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports, yaml })
  return {
    port: envoy.port,
    requests,
    stop: async () => {
      await envoy.stop()
      sidecar.close()
      await grpc.drain(1000)
      backends.close()
      rmSync(folder, { recursive: true, force: true })
      if (faults.length > 0) throw faults[0]
    },
  }
}
