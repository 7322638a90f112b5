/** Ten defences that were taken out one at a time, by a line each, and the tests that failed then. */
import { ASK, CLAIMS, ISSUER } from './attack.ts'

export interface Defence {
  /** As `docs/attacks.md` has it. */
  readonly defence: string
  /** Not all: the narrowest. By file below `test/`, and what stands in their titles. */
  readonly tests: Readonly<Record<string, readonly string[]>>
  /** Cases that every gateway runs, by their name. */
  readonly cases?: readonly string[]
}

export const defences: readonly Defence[] = [
  {
    defence: 'an issuer speaks for its own tenants',
    tests: {
      'core/decide.test.ts': ['a token for a tenant that its issuer may not speak for'],
      [CLAIMS]: ['the issuer of one tenant claims another'],
    },
  },
  {
    defence: 'a path has one reading',
    tests: {
      'core/routes/canonical-path.test.ts': ['a double dot segment', 'a double dot before a path parameter'],
      'attacks/leaks.test.ts': ['%s tells of no tenant, route, plan, role or credential'],
    },
  },
  {
    defence: 'two credentials of a kind are none',
    tests: {
      'core/decide.test.ts': ['two API keys'],
      'attacks/leaks.test.ts': ['%s tells of no tenant, route, plan, role or credential'],
    },
  },
  {
    defence: 'names count with `_` for `-`',
    tests: {
      'ext-authz/apply-decision.test.ts': ['loses no spelling: %j'],
      'kong/guard/before.test.ts': ['%s in every spelling'],
    },
  },
  {
    defence: 'revocation is asked at every use',
    tests: {
      'core/credentials/authenticate-revoked.test.ts': ['is refused: %s, also one that was verified before'],
      'cli/service/administration.test.ts': ['refuses a token that it has verified before'],
    },
  },
  {
    defence: 'what was verified under old keys is verified again',
    tests: {
      'core/credentials/tokens/jwt.test.ts': [
        'a key that the issuer has removed is refused once its keys were renewed',
      ],
      [ISSUER]: ['tokens of it are refused within ten minutes of use'],
    },
  },
  {
    defence: 'the address that is connected to is looked at',
    tests: { [ASK]: ['an address from the inside is never connected to'] },
  },
  {
    defence: 'an address that guesses is refused unread',
    tests: {
      'core/credentials/authenticate.test.ts': ['refuses %s unread, and says when it may try again'],
      'core/credentials/authenticate-tokens.test.ts': ['an address from which too many tokens were wrong'],
      'core/credentials/tokens/refused-tokens.test.ts': ['while its address is blocked is told no more than that'],
    },
  },
  {
    defence: 'JSON that says something twice is refused',
    tests: {
      [CLAIMS]: ['the tenant twice, once in escapes', 'something twice, deep inside'],
      'core/credentials/tokens/gateway-claims.test.ts': ['or says something twice, is ambiguous'],
    },
  },
  {
    defence: 'a certificate of two tenants is nobody’s',
    tests: { 'core/credentials/certificates/client-certificate.test.ts': ['of two tenants are nobody’s'] },
    cases: ['one of two tenants is refused'],
  },
]
