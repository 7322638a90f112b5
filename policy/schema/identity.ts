/** `identity:` where credentials and tenants are looked for in a request. */
import { z } from 'zod'
import { headers, isTrustedHeader, token } from './backend-identity.ts'
import { burst, checkExactness, rate } from './limits.ts'
import { distinct, HTTP_TOKEN, hostSuffix, refusal } from './words.ts'

/** Headers that an API key cannot be read from: taken by HTTP itself or by tokens. Those that we write are others. */
const TAKEN_HEADERS: ReadonlySet<string> = new Set(['authorization', 'host', 'cookie'])

const source = z.enum(['apiKey', 'jwt', 'opaqueToken', 'clientCertificate', 'host'])

/** Where the policy does not say. */
export const DEFAULT_SOURCES = ['apiKey', 'jwt', 'host'] as const

const apiKey = z
  .strictObject({
    header: z
      .string()
      .regex(HTTP_TOKEN, refusal('is not the name of a header', 'a name such as `x-api-key`'))
      .refine((header) => !TAKEN_HEADERS.has(header.toLowerCase()) && !isTrustedHeader(header), {
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

const clientCertificate = z
  .strictObject({
    forwarded: z
      .boolean()
      .default(false)
      .describe(
        'Whether a certificate in X-Forwarded-Client-Cert is believed: only where the gateway removes what clients write there.',
      ),
  })
  .prefault({})
  .describe('How client certificates come to us.')

const failedCredentials = z
  .union(
    [
      z.literal('off'),
      z
        .strictObject({
          rate: rate.default('5/s').describe('How many may fail in the long run, such as `5/s`.'),
          burst: burst.default(50).describe('How many may fail at once.'),
        })
        .superRefine(checkExactness),
    ],
    { error: refusal('is neither a limit nor `off`', '`{ rate: 5/s, burst: 50 }` or `off`') },
  )
  .prefault({})
  .describe('How many credentials of one client address may fail before more are refused unread; `off` for any number.')

export const identity = z
  .strictObject({
    sources: distinct(source)
      .min(1)
      .optional()
      .meta({ default: DEFAULT_SOURCES })
      .describe('What is looked at. The order picks the principal; all that are there must name the same tenant.'),
    apiKey,
    host,
    clientCertificate,
    failedCredentials,
    headers,
    token,
    removeCredentials: z
      .boolean()
      .default(false)
      .describe('Whether credentials are taken off before a request reaches a backend, on anonymous routes too.'),
  })
  .prefault({})
  .describe('How a request names its tenant.')
