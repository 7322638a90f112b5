/** The part of Kong's plugin development kit that our plugins use: kong-pdk's names and promises, with the types that it really has. */

/** A value that `kong.ctx.shared` carries between languages. */
export type SharedValue = string | number | boolean | null | undefined | SharedValue[] | { [key: string]: SharedValue }

/** A header's value; a list is a header several times, and an empty list takes the header away. */
export type HeaderValue = string | number | readonly string[]

/** `kong`, as a phase method gets it. Every method is a round trip to Kong; what Kong does not know is undefined. */
export interface Kong {
  readonly ctx: {
    readonly shared: {
      get(key: string): Promise<SharedValue>
      set(key: string, value: SharedValue): Promise<void>
    }
  }
  readonly request: {
    /** Names in lower case, each value a list (kong-pdk) or, where it came once, a text (typed protocol). At most `max`. */
    getHeaders(max: number): Promise<Record<string, string | string[]> | undefined>
  }
  readonly nginx: {
    /** One of nginx's variables, without the `$`. */
    getVar(name: string): Promise<string | undefined>
  }
  readonly client: {
    authenticate(consumer: KongConsumer | undefined, credential: KongCredential | undefined): Promise<void>
  }
  readonly service: {
    /** Resolves with true, or with false or undefined where Kong has no such upstream. */
    setUpstream(name: string): Promise<boolean | undefined>
    readonly request: {
      setHeaders(headers: Readonly<Record<string, HeaderValue>>): Promise<void>
    }
  }
  readonly response: {
    setHeaders(headers: Readonly<Record<string, HeaderValue>>): Promise<void>
    /** Ends the request with this answer. Nothing may be asked of Kong after it: always `return kong.response.exit(…)`. */
    exit(status: number, body: string, headers: Readonly<Record<string, HeaderValue>>): Promise<void>
  }
}

interface KongConsumer {
  readonly id: string
  readonly username?: string
  readonly custom_id?: string
}

interface KongCredential {
  readonly id: string
  readonly consumer_id?: string
}

/** The phases that Kong 3.9 runs external plugins in. */
export const PHASES = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'] as const
export type Phase = (typeof PHASES)[number]

/** What our plugin server tells of an event besides `kong`; the stock one has no such argument. */
export interface PluginEvent {
  /** Whether nobody waits for this event any more: its connection is closed, or it has been answered otherwise. */
  readonly abandoned: () => boolean
  /** How many ms are left until the event is ended without its plugin. */
  readonly timeLeftMs: () => number
}

/** A plugin's instance: one configuration of it. */
export type PluginInstance = {
  readonly [phase in Phase]?: (kong: Kong, event?: PluginEvent) => Promise<unknown>
}

/** A field of a plugin's configuration, as Kong's schemas write it (`{ stages: { type: 'set', … } }`). */
export type SchemaField = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A plugin file: what kong-pdk's server asks of one, and ours. `decide` is given by our server and missing in the stock one. */
export interface PluginModule<Decide> {
  readonly Plugin: new (config: Readonly<Record<string, unknown>>, decide?: Decide) => PluginInstance
  readonly Schema: readonly SchemaField[]
  readonly Version: string
  readonly Priority: number
}
