/** Where in the claims of a token something stands. */
import { z } from 'zod'
import { refusal } from './words.ts'

export const claimPath = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: refusal('is not a claim', 'the name of a claim, or a path such as `[realm_access, roles]`'),
  })
  .describe('A string is one key of the claims, a list is a path into them.')
