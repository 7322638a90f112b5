/** What a line of the list is: an attack, and where it is shown that it fails. */
export interface Attack {
  /** As `docs/attacks.md` has it, with the advisory where there is one. */
  readonly attack: string
  /** Cases of the conformance table, which every gateway runs: by their name, or all whose name matches. */
  readonly cases?: readonly (string | RegExp)[]
  /** Tests that are about no request, or about one gateway: by file below `test/`, and what stands in their titles. */
  readonly tests?: Readonly<Record<string, readonly string[]>>
}

export interface Theme {
  readonly theme: string
  readonly attacks: readonly Attack[]
}

export const JWT = 'core/credentials/tokens/jwt-attacks.test.ts'
export const CLAIMS = 'core/credentials/tokens/claims-attacks.test.ts'
export const JWKS = 'core/credentials/tokens/jwks-attacks.test.ts'
export const ISSUER = 'stores/remote/fetch-keys.test.ts'
export const ASK = 'stores/remote/ask.test.ts'
