/** What a backend must be told of each caller: all of it, and no more. */

/** A request of nobody. */
export const NOBODY = {}

/** acme is all that is known, by the host name of a request without credentials. */
export const ACME_BY_HOST = { 'x-tenant-id': 'acme' }

const ACME = { 'x-tenant-id': 'acme', 'x-tenant-plan': 'enterprise' }

export const ACME_KEY = { ...ACME, 'x-user-scopes': 'orders:read,orders:write' }
export const ACME_READER = { ...ACME, 'x-user-scopes': 'orders:read' }
export const ACME_ADMIN = { ...ACME, 'x-user-scopes': 'orders:read,orders:export', 'x-user-roles': 'admin,auditor' }
export const ACME_AUDITOR = { ...ACME, 'x-user-scopes': 'orders:preview', 'x-user-roles': 'auditor' }

/** By a token without roles. */
export const ANN_AT_ACME = { ...ACME_READER, 'x-user-id': 'ann' }
/** By a token with roles. */
export const ANN_WITH_ROLES = { ...ANN_AT_ACME, 'x-user-roles': 'viewer,admin' }
export const BOB_AT_ACME = { ...ACME_READER, 'x-user-id': 'bob' }

const GLOBEX = { 'x-tenant-id': 'globex', 'x-tenant-plan': 'pro' }

export const GLOBEX_KEY = { ...GLOBEX, 'x-user-scopes': 'orders:read,orders:write' }
export const ANN_AT_GLOBEX = { ...GLOBEX, 'x-user-scopes': 'orders:read', 'x-user-id': 'ann' }

const INITECH = { 'x-tenant-id': 'initech', 'x-tenant-plan': 'free' }

export const INITECH_KEY = { ...INITECH, 'x-user-scopes': 'orders:read,orders:write' }
export const INITECH_SECOND = { ...INITECH, 'x-user-scopes': 'orders:read' }

const METERED = { 'x-tenant-id': 'metered', 'x-tenant-plan': 'enterprise', 'x-user-scopes': 'orders:read' }

export const METERED_KEY = METERED
export const ANN_AT_METERED = { ...METERED, 'x-user-id': 'ann' }
export const BOB_AT_METERED = { ...METERED, 'x-user-id': 'bob' }

/** Most cases are about this request; acme's are served by orders-beta, see the policy's flag. */
export const ORDER = '/v1/orders/1'
