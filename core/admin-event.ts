/** Something that an administrator did, or was refused: what audits and logs are told of it. */
export interface AdminEvent {
  /** Such as `key_rotated`. */
  readonly action: string
  readonly outcome: 'done' | 'refused' | 'failed'
  /** The client's own for this call, or ours. */
  readonly requestId: string
  /** Who it was, by their own account: whoever has the token may say any name. */
  readonly actor?: string
  /** Of the client of the administration. */
  readonly address: string
  /** What it was done to, as far as the request came; never a credential. */
  readonly target: Readonly<Record<string, string>>
  /** The code of a refusal. */
  readonly reason?: string
}
