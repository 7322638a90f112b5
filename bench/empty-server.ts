/** What Node's own gRPC costs: every call is decoded and answered OK, by the stock library, with nothing decided. */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { loadAuthorization, loadRateLimit } from '../ext-authz/service.ts'

const [socket = ''] = process.argv.slice(2)
const server = new Server({ 'grpc.enable_channelz': 0, 'grpc.max_concurrent_streams': 1024 })
server.addService(loadAuthorization(), {
  Check: (_call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) =>
    answer(null, { status: { code: 0 }, okResponse: {} }),
})
server.addService(loadRateLimit(), {
  ShouldRateLimit: (_call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) =>
    answer(null, { overallCode: 1, statuses: [] }),
})
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
  process.stdout.write(`${JSON.stringify({ msg: 'listening' })}\n`)
})
process.once('SIGTERM', () => process.exit())
