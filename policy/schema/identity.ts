/** `identity:` where credentials and tenants are looked for in a request. */
import { z } from 'zod'
import { IDENTITY_HEADERS } from '../../core/identity-headers.ts'
import { distinct, HTTP_TOKEN, hostSuffix, notYet, refusal } from './words.ts'

/** Headers that an API key cannot be read from: taken by HTTP itself, by tokens, or by what we tell the backend. */
const TAKEN_HEADERS: ReadonlySet<string> = new Set(['authorization', 'host', 'cookie', ...IDENTITY_HEADERS])

const source = z.enum(['apiKey', 'jwt', 'host'], {
  error: ({ input }) => (input === 'clientCertificate' ? notYet('`clientCertificate` is') : undefined),
})

const apiKey = z
  .strictObject({
    header: z
      .string()
      .regex(HTTP_TOKEN, refusal('is not the name of a header', 'a name such as `x-api-key`'))
      .refine((header) => !TAKEN_HEADERS.has(header.toLowerCase().replaceAll('_', '-')), {
        error: refusal('is a header that an API key cannot be read from', 'another name, such as `x-api-key`,'),
      })
      .default('x-api-key')
      .describe('The header that carries an API key; case does not matter.'),
    bearer: z
      .boolean()
      .default(true)
      .describe('Whether keys are also read from `Authorization: Bearer`, told from tokens by their prefix.'),
  })
  .prefault({})
  .describe('How API keys are sent.')

const host = z
  .strictObject({
    suffix: hostSuffix().describe('`.api.example.com` makes `acme.api.example.com` name the tenant `acme`.'),
    reserved: distinct(
      z.string().regex(/^[a-z0-9-]{1,63}$/, refusal('is not a label', 'one part of a host name, such as `www`')),
    )
      .default([])
      .describe('Labels under the suffix that name no tenant.'),
  })
  .optional()
  .describe('Tenants by subdomain. A host name never authenticates; it must agree with the credentials.')

export const identity = z
  .strictObject({
    sources: distinct(source)
      .min(1)
      .default(['apiKey', 'jwt', 'host'])
      .describe('What is looked at. The order picks the principal; all that are there must name the same tenant.'),
    apiKey,
    host,
    removeCredentials: z
      .boolean()
      .default(false)
      .describe('Whether credentials are taken off before a request reaches a backend, on anonymous routes too.'),
  })
  .prefault({})
  .describe('How a request names its tenant.')
