/** What the verbs of `keys` and `tokens` ask for, wherever it is done. */
import type { AdminAnswer } from '../admin/admin-client.ts'

/** Each answers as the administration does: the body, or in words why not. */
export interface KeyVerbs {
  list(query: {
    readonly tenant: string | undefined
    readonly limit: number
    readonly offset: number
  }): Promise<AdminAnswer>
  create(tenant: string, wanted: object): Promise<AdminAnswer>
  rotate(tenant: string, id: string, wanted: object): Promise<AdminAnswer>
  revoke(tenant: string, id: string): Promise<AdminAnswer>
  revokeTokens(wanted: object): Promise<AdminAnswer>
}
