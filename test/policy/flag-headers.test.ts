/** Headers that no rule may read, since callers show their credentials there: by their names, whatever the policy is. */
import { expect, it } from 'vitest'
import { SHOWS_CREDENTIALS } from '../../policy/checks/flag-headers.ts'

it.each([
  'authorization',
  'proxy-authorization',
  'cookie',
  'dpop',
  'client-cert',
  'client-cert-chain',
  'x-forwarded-client-cert',
  'x-api-key',
  'apikey',
  'api-key',
  'x-auth-token',
  'access-token',
  'x-csrf-token',
  'x-goog-iap-jwt-assertion',
  'x-amzn-oidc-data',
  'x-forwarded-access-token',
  'cf-access-jwt-assertion',
  'ssl-client-cert',
  'x-ssl-client-cert',
  'x-client-cert',
])('%s shows a credential', (name) => expect(name).toMatch(SHOWS_CREDENTIALS))

it.each(['x-app-version', 'user-agent', 'x-client', 'x-token-count', 'x-api-version', 'accept-language'])(
  '%s does not',
  (name) => expect(name).not.toMatch(SHOWS_CREDENTIALS),
)
