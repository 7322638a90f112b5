/** What is around a request: limits, memory, other tenants, failures, flags, administration. */
import type { Theme } from './attack.ts'

const BUCKETS = 'attacks/bucket-keys.test.ts'
const LEAKS = 'attacks/leaks.test.ts'

export const limits: Theme = {
  theme: '7. Limits',
  attacks: [
    {
      attack: 'a tenant, user or header that names the bucket of another (`:`, `{}`, `*`, line breaks)',
      tests: { [BUCKETS]: ['all series differ', 'all keys differ', 'no series begins another'] },
    },
    { attack: '("a", "bc") for ("ab", "c")', tests: { [BUCKETS]: ['is not ("ab", "c")'] } },
    {
      attack: 'refused requests that use up a limit, and limits before the credential',
      cases: [/^only admitted requests are charged/, /^the host alone charges nobody/],
    },
    { attack: 'another address, user or token for the same caller', cases: [/^by address/, /^by user/] },
    {
      attack: 'a clock that is set back, years of rest, the largest numbers',
      tests: {
        'core/limits/token-bucket.test.ts': ['a clock that is set back', 'largest numbers'],
        'core/limits/window-uses.test.ts': ['what a wrong clock admitted', 'that is not remembered'],
      },
    },
    {
      attack: 'the seams of a calendar: days of 23 and 25 hours, midnights that are not there, leap days, the 31st',
      tests: {
        'core/limits/calendar.test.ts': [
          'every instant is in the window that holds it',
          'around every change of the clock',
        ],
        'core/limits/calendar-sums.test.ts': ['is its amount and never more'],
      },
    },
  ],
}

export const memory: Theme = {
  theme: '8. Memory and time',
  attacks: [
    {
      attack: 'a million addresses, users, tenants, keys',
      tests: {
        'stores/memory-limits.test.ts': ['memory stays bounded'],
        'stores/failed-credentials.test.ts': ['a flood of addresses'],
        'stores/token-memory.test.ts': ['holds no more entries than its bound'],
      },
    },
    {
      attack: 'messages that are too large, half or endless',
      tests: {
        'ext-authz/server.test.ts': ['is refused unread beyond 256 kB'],
        'kong/plugin-server/connections.test.ts': ['whose frame does not end'],
      },
    },
    {
      attack: 'YAML aliases that multiply, deep nesting, 16 MB',
      tests: {
        'policy/busted.test.ts': ['alias-bomb'],
        'policy/parse.test.ts': ['nested deeper than any stack', 'by its size before it is parsed'],
      },
    },
    {
      attack: '`__proto__`, `constructor` as tenant, claim, header, scope, flag',
      tests: {
        'attacks/prototype-names.test.ts': [
          'is a header only where it was sent',
          'is a claim only where it was signed',
          'held by nobody who was not given it',
          'no key that a policy may use',
          'like any other, and of no flag',
        ],
        'ext-authz/read-request.test.ts': ['named like properties of every object'],
        'kong/read-request.test.ts': ['named like properties of every object'],
      },
    },
  ],
}

export const neighbours: Theme = {
  theme: '9. Other tenants',
  attacks: [
    {
      attack: 'a refusal that tells whether another tenant exists, is suspended, has a domain',
      cases: ['a conflict names neither tenant', /^that a tenant is suspended/],
      tests: { [LEAKS]: ['a conflict is the same', 'neither a route nor a tenant can be found out'] },
    },
    {
      attack: 'a refusal that tells which way a credential is bad',
      cases: [/^a (forged token|key before its time) is told no more/, 'nor is one for another audience'],
      tests: { [LEAKS]: ['a bad key is the same on every host'] },
    },
    {
      attack: "another tenant's limits, plan, routes or reasons in an answer",
      cases: [/^a limit that is not exposed/, /^a refusal before the limits/],
      tests: { [LEAKS]: ['one tenant at its limit', 'tells of no tenant, route, plan, role or credential'] },
    },
    {
      attack: "a plugin's instance of another configuration, after a restart",
      tests: {
        'kong/plugin-server/connections.test.ts': ['an instance that this process does not have'],
        'kong/guard/failures.test.ts': ['by which nobody is decided about by another configuration'],
      },
    },
    {
      attack: 'a signed identity of one caller for another',
      tests: { 'core/identity/token.test.ts': ['never says another caller’s name'] },
    },
  ],
}

export const failures: Theme = {
  theme: '10. When something fails',
  attacks: [
    {
      attack: 'the plugin server killed, frozen, replaced, away',
      tests: {
        'kong/guard/failures.test.ts': ['killed and started again', 'frozen for a while', 'replaced by a new one'],
      },
    },
    {
      attack: 'the sidecar away, slow, faulty',
      tests: { 'envoy/answers.test.ts': ['never a backend', 'one that never answers is 503', 'with the sidecar away'] },
    },
    {
      attack: 'an exception in the middle of a decision',
      tests: { 'kong/plugin.test.ts': ['is a 503, too'], 'ext-authz/server.test.ts': ['never an answer'] },
    },
    {
      attack: 'a policy that is broken, half or gone',
      tests: { 'policy/watch.test.ts': ['the last good policy stays', 'is one that is gone, too'] },
    },
    {
      attack: 'a state file that is broken, half, or on a full disk',
      tests: { 'stores/records/state-file.test.ts': ['a file that is not good', 'on a disk that is full'] },
    },
    {
      attack: 'a policy in shadow that opens more than it says',
      cases: [/^it is no open door/, /^what nobody says of himself/, /^beside a good one too: nobody/],
      tests: { 'core/shadow.test.ts': ['opens no route that wants a right', 'does not make a path canonical'] },
    },
  ],
}

export const routing: Theme = {
  theme: '11. Flags and routing',
  attacks: [
    {
      attack: 'a backend that the client chooses by header, cookie or query',
      cases: [/^no header, cookie or query/, /^a client moves nothing/, /^and the query chooses nothing/],
    },
    {
      attack: 'a variant chosen by header, by those who may not',
      cases: [
        /chooses nothing$/,
        /^nor does nobody on an optional one/,
        /^an anonymous route asks for no credential, and so/,
      ],
      tests: {
        'core/flags/override.test.ts': ['that calls itself so', 'credential of that name, nor one that hides a slash'],
        'fuzz/adapters.test.ts': ['with the seed'],
      },
    },
    {
      attack: 'other spellings of that header, broken lists, unknown and prototype names, endless values',
      cases: [/^spelt .* moves nothing/, /^(?:an unknown|the name|a flag|a variant|a list|what|more) .* moves nothing/],
      tests: { 'core/flags/override.test.ts': ['whatever is sent, it is read or refused in words'] },
    },
    {
      attack: 'a flag that is switched off, chosen by header',
      cases: ['the switch beats who may choose', 'a flag that is off stays off, whoever chooses'],
    },
    {
      attack: 'a header that only backends are to be told of a flag, written by a client',
      cases: [/^as it is: /, /^with underscores: /, 'x-tenantgate-checkout alone is no credential and no claim'],
    },
    {
      attack: 'an attribute of a tenant that poses as a header or as the time',
      tests: { 'core/flags/context.test.ts': ['no attribute stands in for'] },
    },
    {
      attack: 'a variant that is no upstream',
      tests: {
        'core/decide.test.ts': ['a variant that is no upstream'],
        'kong/guard/after.test.ts': ['is no other upstream'],
      },
    },
    {
      attack: 'an upstream that the policy names and the gateway lacks',
      tests: {
        'envoy/requests.test.ts': ['falls back to %s, which is told so', 'is 503 without a way back'],
        'envoy/services.test.ts': ['is served by its own service', 'is 503 with a problem of ours, and reaches nobody'],
        'envoy/reference.test.ts': ['and not the hosts of a canary nor the sidecar'],
        'kong/guard/after.test.ts': ['is no other upstream'],
      },
    },
    {
      attack: 'a way back that the client names',
      cases: [/^a client moves nothing, where a flag/, /^nor where the gateway does/],
      tests: { 'envoy/services.test.ts': ['moves nothing at', 'gets nowhere at'] },
    },
  ],
}

export const administration: Theme = {
  theme: '12. Administration',
  attacks: [
    {
      attack: 'no token, a wrong one, one in the query, two of them, guessing',
      tests: {
        'admin/entrance.test.ts': ['a wrong one', 'in the query', 'twice is none', 'that is wrong is answered'],
      },
    },
    {
      attack: 'a page in a browser: CSRF, CORS, DNS rebinding',
      tests: { 'admin/entrance.test.ts': ['a page in a browser', 'gets no leave by OPTIONS'] },
    },
    {
      attack: 'mass assignment, deep JSON, `__proto__`, endless bodies',
      tests: {
        'admin/entrance.test.ts': ['__proto__', 'that never ends'],
        'admin/keys.test.ts': ['is not made by %s %j'],
      },
    },
    {
      attack: 'a flood of refusals, or a full disk, behind which an attack is not recorded',
      tests: {
        'telemetry/audit.test.ts': ['is written up to a bound each second'],
        'telemetry/audit-file.test.ts': ['loses lines, counts them'],
        'cli/service/administration.test.ts': ['when the disk of its audit is full'],
      },
    },
    {
      attack: 'a credential, or a line of its own, that a client puts into the audit log',
      tests: {
        'telemetry/audit.test.ts': [
          'tells no credential, wherever a client has put it',
          'is short whatever a client sends, and one line',
        ],
      },
    },
    { attack: 'a secret that is told twice', tests: { 'admin/keys.test.ts': ['is told once'] } },
    {
      attack: 'a credential in a request that is explained, or in a header that a limit counts by',
      tests: {
        'admin/explain.test.ts': ['is told again in no part'],
        'admin/limits.test.ts': ['what was sent as a credential, nor its hash', 'a key in the place of a name'],
      },
    },
    {
      attack: 'a name of a user or a header with escapes for the terminal, read by who looks at limits',
      tests: { 'cli/limits/limits.test.ts': ['lets no client steer the terminal'] },
    },
    {
      attack: "a value that looks like the hash of another's long one, to share its bucket",
      tests: { 'core/limits/bucket-key.test.ts': ['by looking like its hash'] },
    },
    {
      attack: 'a switch of a flag, or a question by OFREP, without the token or from a page',
      tests: {
        'admin/flags.test.ts': ['has the token, and is no page of a browser'],
        'admin/ofrep.test.ts': ['is asked for with the token alone, and by no page of a browser'],
      },
    },
    {
      attack: '`__proto__` and the like as a flag, or in the context of a question',
      tests: {
        'admin/flags.test.ts': ['__proto__'],
        'admin/ofrep.test.ts': ['is not asked for with a field %s'],
        'stores/records/credential-records.test.ts': ['is not off by the name %s'],
      },
    },
    {
      attack: 'a context that is deep, long or wide, to cost time',
      tests: { 'admin/ofrep.test.ts': ['is asked for in 64 KB at most', 'is asked for with what is not flat'] },
    },
    {
      attack: 'a caller who gives a known tenant another plan or other attributes',
      tests: { 'admin/ofrep.test.ts': ['has its own attributes and plan, whatever the caller says of them'] },
    },
    {
      attack: 'names of flags without end, each switched once',
      tests: { 'admin/flags.test.ts': ['is one of a bounded number that may be switched'] },
    },
    {
      attack: "a key in the place of a flag's name",
      tests: {
        'admin/flags.test.ts': ['is not called as a key is'],
        'cli/flags/flags.test.ts': ['of what is a key by mistake do not print it'],
      },
    },
    {
      attack: 'a candidate policy that lets in more, hangs or breaks, or a credential in what it differs by',
      tests: {
        'cli/service/candidate/candidate.test.ts': [
          'comes in the same tick, and before anything of the candidate is done',
          'comes whatever is broken in the candidate',
          'more than may wait are skipped, and counted',
          'holds no credential, wherever a client has written one',
        ],
        'cli/service/candidate/tell-differences.test.ts': ['ten lines a second are written'],
      },
    },
    {
      attack: 'explaining as a way to guess, to use up or to block',
      tests: {
        'cli/service/gate-explain.test.ts': ['it takes nothing, and tells nobody', 'holds no bad credential against'],
      },
    },
  ],
}
