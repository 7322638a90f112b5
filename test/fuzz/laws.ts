/** What must hold of every outcome, judged by the request alone and by none of the code that has decided. */
import { DENIALS } from '../../core/decision.ts'
import { backendHeaders, IDENTITY_HEADERS } from '../../core/identity/headers.ts'
import { isGrpc } from '../../core/request.ts'
import { claimedTenant, isPlainPath, openedRoute, shownOnly } from './oracle.ts'
import type { Outcome } from './outcome.ts'
import { type FuzzRequest, folded, valuesOf } from './request.ts'
import { CHECKOUT, OVERRIDE_HEADER } from './world.ts'

/** A law that was broken, in words; an assertion of the fuzzer, and so a finding. */
export class Broken extends Error {}

export function must(holds: boolean, law: string): asserts holds {
  if (!holds) throw new Broken(law)
}

const IDENTITY: ReadonlySet<string> = new Set([...IDENTITY_HEADERS, CHECKOUT])
/** What no client may tell a backend where a gateway stands that strips them by their beginning. */
const OURS = /^x-(?:tenant|user|tenantgate)-/

const CERTIFICATE_HEADER = 'x-forwarded-client-cert'

/** `strips` says whether the gateway takes away all that begins like ours, besides what our answer names. */
export function checkOutcome(request: FuzzRequest, outcome: Outcome, strips: boolean): void {
  must(outcome.status < 500, `no fault of ours: ${outcome.status} ${outcome.body}`)
  for (const name of Object.keys(outcome.answer)) must(!OURS.test(folded(name)), `${name} in the answer`)
  checkSecrets(request, outcome)
  const { decision } = outcome
  if (!decision) {
    must(outcome.backend === undefined, 'nothing passes undecided')
    return
  }
  must(decision.reason !== 'dependency_unavailable', 'nothing is away')
  if (decision.decision === 'deny') {
    must(outcome.backend === undefined, 'what is refused reaches no backend')
    checkRefusal(outcome, DENIALS[decision.reason].status, decision.reason, isGrpc(decision.request))
    // the answer to HEAD has no body on the wire
    const isHead = request.method === 'HEAD' && outcome.body === ''
    must(
      isHead || isGrpc(decision.request) || JSON.parse(outcome.body).code === decision.reason,
      'the body says the reason',
    )
    return
  }
  must(outcome.backend !== undefined, 'what is allowed reaches a backend')
  checkAllowed(request, outcome)
  checkBackend(request, outcome, strips)
  checkChoice(request, outcome)
}

/** A gRPC client's refusal is 200 on the wire where the gateway does not make it so by itself. */
function checkRefusal({ status, answer, body }: Outcome, wanted: number, reason: string, grpc: boolean): void {
  must(status === wanted || (grpc && status === 200), `${reason} is ${wanted} and not ${status}`)
  must(answer['cache-control'] === 'no-store', 'nobody stores a refusal')
  if (grpc) must(/^\d+$/.test(answer['grpc-status'] ?? '') && body === '', 'gRPC clients read grpc-status')
  must(wanted !== 401 || answer['www-authenticate'] !== undefined, 'a 401 has a challenge')
}

/** Who is let in has shown credentials that are all genuine and all the same tenant's, or stands at a door that is open to all. */
function checkAllowed(request: FuzzRequest, { decision }: Outcome): void {
  if (decision?.decision !== 'allow') return
  const byHost = claimedTenant(request)
  const { roles, scopes } = decision
  if (decision.credential === undefined) {
    must(
      decision.route !== undefined && /^(?:health|status|catalogue)$/.test(decision.route),
      'only open routes need nobody',
    )
    must(decision.tenant === undefined || decision.tenant === byHost, 'nobody is at the tenant that the host names')
    must(!decision.user && !decision.plan && roles.length + scopes.length === 0, 'of nobody nothing is known')
    must(decision.route !== 'catalogue' || shownOnly(request) === 'nothing', 'what was shown was looked at')
  } else {
    must(
      shownOnly(request) === decision.tenant,
      `the credentials prove ${shownOnly(request)} and not ${decision.tenant}`,
    )
    must(byHost === undefined || byHost === decision.tenant, `the host names ${byHost} and not ${decision.tenant}`)
  }
  must(isPlainPath(request), 'a path that backends could read differently is refused')
  const opened = openedRoute(request)
  must(opened !== 'admin' || roles.includes('admin'), 'a backend that tidies paths up would serve /v1/admin')
  must(opened !== 'orders' || scopes.length > 0, 'a backend that tidies paths up would serve /v1/orders')
}

/** A backend that folds names as CGI does reads what we say, once, and nothing that the client says. */
function checkBackend({ credentials }: FuzzRequest, { decision, backend = [] }: Outcome, strips: boolean): void {
  if (decision?.decision !== 'allow') return
  const told = new Map(backendHeaders(decision))
  for (const [name, value] of backend) {
    const plain = folded(name)
    if (!(strips ? OURS.test(plain) : IDENTITY.has(plain))) continue
    must(told.get(plain) === value, `${name}: ${value} at the backend, where we say ${told.get(plain)}`)
    told.delete(plain)
  }
  must(
    backend.every(([name]) => folded(name) !== CERTIFICATE_HEADER),
    'no client says whose certificate it has',
  )
  must(told.size === 0, `the backend is not told ${[...told.keys()]}`)
  const proven = backend.filter(([name]) => /^(?:x-api-key|authorization)$/i.test(name)).map(([, value]) => value)
  for (const { text, tenant } of credentials) {
    must(
      tenant === undefined || !proven.some((value) => /^bearer /i.test(value) && value.includes(text)),
      'credentials are taken off',
    )
  }
}

/** Variants are what the rules say, but for those who may choose, who get what they have written; no backend sees that. */
function checkChoice({ fields, credentials }: FuzzRequest, { decision, backend = [] }: Outcome): void {
  if (decision?.decision !== 'allow') return
  must(
    backend.every(([name]) => folded(name) !== OVERRIDE_HEADER),
    'no backend sees what a client wants to choose',
  )
  const said = valuesOf(fields, OVERRIDE_HEADER).join(',')
  const isGlobexKey = decision.tenant === 'globex' && decision.credential === 'app'
  const mayChoose =
    decision.roles.includes('auditor') || (isGlobexKey && credentials.some(({ text }) => text.startsWith('tg_')))
  const checkout = valuesOf(fields, 'x-app-version').join(',') === '2' ? 'on' : 'off'
  const byRule = decision.tenant === 'acme' ? 'beta' : 'stable'
  const told = new Map(backendHeaders(decision))
  const chosen = (flag: string, variant: string | undefined) => mayChoose && said.includes(`${flag}=${variant}`)
  const { route, upstream, variant } = decision
  const own = told.get(CHECKOUT)
  must(own === checkout || chosen('new-checkout', own), `the backend is told ${own} of new-checkout`)
  must(variant === undefined || upstream === `orders-${variant}`, `${upstream} is not what ${variant} stands for`)
  if (route !== 'orders-read') must(variant === undefined, 'no variant where no flag is asked')
  else must(variant === byRule || chosen('orders-backend', variant), `${variant} is neither by rule nor by choice`)
}

/** No answer repeats a credential. */
function checkSecrets({ credentials }: FuzzRequest, { answer, body }: Outcome): void {
  const said = JSON.stringify([answer, body])
  for (const { text } of credentials) must(text.length < 20 || !said.includes(text), 'an answer repeats a credential')
}

/** Both gateways have decided the same, and say the same of the caller. */
export function checkEqual(one: Outcome, other: Outcome): void {
  if (!one.decision || !other.decision) return
  must(one.decision.reason === other.decision.reason, `one says ${why(one)}, the other ${why(other)}`)
  if (one.decision.decision !== 'allow' || other.decision.decision !== 'allow') return
  const [ours, theirs] = [one.decision, other.decision].map((allow) => JSON.stringify(backendHeaders(allow)))
  must(ours === theirs, `one tells ${ours}, the other ${theirs}`)
}

function why({ decision }: Outcome): string {
  return decision?.decision === 'deny' ? `${decision.reason} (${decision.because})` : String(decision?.reason)
}
