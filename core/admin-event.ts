/** Something that an administrator did, or was refused: what audits and logs are told of it. */
export interface AdminEvent {
  /** Such as `key_rotated`. */
  readonly action: string
  readonly outcome: 'done' | 'refused' | 'failed'
  /** Of the client of the administration. */
  readonly address: string
  /** What it was done to, as far as the request came; never a credential. */
  readonly target: Readonly<Record<string, string>>
  /** The code of a refusal. */
  readonly reason?: string
}
