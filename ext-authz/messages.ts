/** The decoded shapes of Envoy's Check, as far as we read and write them; the protos beside this say what Envoy means by each. */

/** proto3 leaves out what is empty, so that anything here can be missing. */
export interface CheckRequest {
  readonly attributes?: {
    readonly source?: Peer
    readonly request?: { readonly http?: HttpRequest }
    readonly metadataContext?: MetadataMessage
  }
}

export interface Peer {
  readonly address?: { readonly socketAddress?: { readonly address?: string } }
  /** A name in its certificate; of TLS connections only. */
  readonly principal?: string
  /** Percent-encoded PEM. */
  readonly certificate?: string
}

export interface MetadataMessage {
  /** By the filter that has written it. */
  readonly filterMetadata?: Readonly<Record<string, StructMessage>>
}

/** google.protobuf.Struct, as it is read. */
export interface StructMessage {
  readonly fields?: Readonly<Record<string, ValueMessage>>
}

/** google.protobuf.Value, as it is read. */
export interface ValueMessage {
  readonly nullValue?: number
  readonly numberValue?: number
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly structValue?: StructMessage
  readonly listValue?: { readonly values?: readonly ValueMessage[] }
}

export interface HttpRequest {
  readonly id?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headerMap?: { readonly headers?: readonly HeaderValue[] }
  /** With the query. */
  readonly path?: string
  readonly host?: string
}

export interface HeaderValue {
  readonly key?: string
  readonly value?: string
  readonly rawValue?: Buffer
}

export interface HeaderValueOption {
  readonly header: { readonly key: string; readonly value: string }
  readonly appendAction: number
}

export interface CheckResponse {
  /** google.rpc.Code: 0 lets the request pass. */
  readonly status: { readonly code: number }
  readonly okResponse?: {
    readonly headers: readonly HeaderValueOption[]
    readonly headersToRemove: readonly string[]
    readonly responseHeadersToAdd: readonly HeaderValueOption[]
  }
  readonly deniedResponse?: {
    readonly status: { readonly code: number }
    readonly headers: readonly HeaderValueOption[]
    readonly body: string
  }
  readonly dynamicMetadata: { readonly fields: Readonly<Record<string, StructValue>> }
}

/** google.protobuf.Value, of which we write two kinds. */
export type StructValue = { readonly stringValue: string } | { readonly numberValue: number }
