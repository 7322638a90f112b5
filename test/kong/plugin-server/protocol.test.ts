/** Our own-worded proto says on the wire what Kong's does. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadSync } from '@grpc/proto-loader'
import { describe, expect, it } from 'vitest'
import { loadProtocol, wireName } from '../../../kong/plugin-server/protocol.ts'
import { functions, ourProtos, shapes, THEIR_NAMES } from './shapes.ts'

/** Kong 3.9.3: `number:type` of each field. Of RpcReturn and RpcCall we name fewer fields. */
const KONG: Readonly<Record<string, string>> = {
  RpcCall: '1:int64 31:message 32:message 33:message 34:message 35:message 36:message',
  CmdGetPluginNames: '',
  CmdGetPluginInfo: '1:string',
  CmdStartInstance: '1:string 2:bytes',
  CmdHandleEvent: '1:int32 2:string',
  RpcReturn: '1:int64 33:message',
  InstanceStatus: '1:string 2:int32 3:message 4:int64',
  String: '1:string',
  ByteString: '1:bytes',
  Bool: '1:bool',
  Int: '1:int32',
  Number: '1:double',
  KV: '1:string 2:message',
  ExitArgs: '1:int32 2:bytes 3:message',
  Target: '1:string 2:int32',
  ConsumerSpec: '1:string 2:bool',
  Consumer: '1:string 2:int64 3:string 4:string 5:[]string',
  AuthenticatedCredential: '1:string 2:string',
  AuthenticateArgs: '1:message 2:message',
  RawBodyResult: '1:bytes 2:string 3:string',
  UriCapturesResult: '1:[]bytes 2:[]message',
  Route:
    '1:string 2:int64 3:int64 4:string 5:[]string 6:[]string 7:[]string 8:[]string 9:[]string 10:int32 11:int32 12:bool 13:bool 14:[]string 15:[]string 16:[]string 17:[]string 18:message',
  Service:
    '1:string 2:int64 3:int64 4:string 5:int32 6:string 7:string 8:int32 9:string 10:int32 11:int32 12:int32 13:[]string 14:message',
}

/** The functions that our plugins call, as Kong 3.9.3 has them. */
const CALLED: Readonly<Record<string, string>> = {
  'kong.client.authenticate': 'AuthenticateArgs → Empty',
  'kong.ctx.shared.get': 'String → Value',
  'kong.ctx.shared.set': 'KV → Empty',
  'kong.nginx.get_var': 'String → String',
  'kong.request.get_headers': 'Int → Struct',
  'kong.response.exit': 'ExitArgs → Empty',
  'kong.response.set_headers': 'Struct → Empty',
  'kong.service.set_upstream': 'String → Bool',
  'kong.service.request.set_headers': 'Struct → Empty',
}

const ours = ourProtos()
const { handle, pdk } = loadProtocol()

describe('on the wire our messages are Kong’s', () => {
  const shown = shapes(ours, 'tenantgate.kong.')

  it.each(Object.entries(THEIR_NAMES))('%s is %s', (name, theirs) => {
    expect(shown.get(name)).toBe(KONG[theirs])
  })

  it('so are the functions that our plugins call', () => {
    const known = functions(pdk)
    expect(Object.fromEntries(Object.keys(CALLED).map((name) => [name, known.get(name)]))).toEqual(CALLED)
  })

  it('a call and a return are these bytes', () => {
    const event = { sequence: 7, handle_event: { instance_id: 300, event_name: 'access' } }
    const bytes = Buffer.from('0807a2020b08ac021206616363657373', 'hex')
    expect(Buffer.from(handle.requestSerialize(event))).toEqual(bytes)
    expect(handle.requestDeserialize(bytes)).toEqual(event)
    const started = { sequence: 7, instance_status: { name: 'a', instance_id: 1 } }
    expect(Buffer.from(handle.responseSerialize(started)).toString('hex')).toBe('08078a02050a01611001')
  })

  it.each([
    ['Client_GetIp', 'kong.client.get_ip'],
    ['Nginx_GetTls1VersionStr', 'kong.nginx.get_tls1_version_str'],
    ['Service_Request_SetRawQuery', 'kong.service.request.set_raw_query'],
    ['Ctx_Shared_Get', 'kong.ctx.shared.get'],
  ])('%s is called %s', (name, wire) => {
    expect(wireName(name)).toBe(wire)
  })
})

/** Where an installed Kong is named, its own file is the measure. */
function installedProto(): string | undefined {
  const { KONG_BIN } = process.env
  if (!KONG_BIN) return undefined
  const beside = ['../kong/include', '../share/lua/5.1/kong/include'].map((folder) =>
    join(dirname(KONG_BIN), folder, 'kong', 'pluginsocket.proto'),
  )
  return beside.find((file) => existsSync(file))
}

const installed = installedProto()

// a Kong is there only where KONG_BIN names one; what we carry is compared with its own then
describe.skipIf(installed === undefined)('beside the proto of the Kong that is installed', () => {
  const theirs = installed === undefined ? {} : loadSync(installed, { keepCase: true, longs: Number })

  it('each message of ours has its fields', () => {
    const shown = shapes(theirs, 'kong_plugin_protocol.')
    for (const [name, fields] of Object.entries(KONG)) {
      expect(shown.get(name)?.split(' '), name).toEqual(expect.arrayContaining(fields.split(' ')))
    }
  })

  it('each function of ours is one of its own, with the same messages', () => {
    const renamed = new Map([
      ['Ctx_GetShared', 'kong.ctx.shared.get'],
      ['Ctx_SetShared', 'kong.ctx.shared.set'],
    ])
    const known = functions(theirs['kong_plugin_protocol.Kong'] as typeof pdk, renamed)
    for (const [name, types] of functions(pdk)) expect(known.get(name), name).toBe(types)
  })
})
