/** How names look that people write into policies and records: safe in headers, logs, keys and paths as they are. */

export const TENANT_ID = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/
/** Of credentials, plans, routes and limits. */
export const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/

/** Whose limit it is: the tenant's own or its plan's, a route's, a credential's. */
export const LIMIT_SCOPE = /^(?:tenant|(?:route|credential):[A-Za-z0-9._-]{1,64})$/

/** What stands behind `tg_` in an API key: `live`, `test`. */
export const KEY_ENVIRONMENT = /^[a-z0-9]{1,16}$/
export const KEY_ENVIRONMENT_WORDS = '1 to 16 lower-case letters or digits'

/** Of a flag: in headers and metrics as it is, and in overrides, where `=` ends it and `,` the entry. */
export const FLAG_NAME = /^[\x21-\x2b\x2d-\x3c\x3e-\x7e]{1,128}$/
export const FLAG_NAME_WORDS = '1 to 128 characters of visible ASCII, without spaces, `,` and `=`,'
/** Of a variant, likewise; in overrides it goes up to the comma. */
export const VARIANT_NAME = /^[\x21-\x2b\x2d-\x7e]{1,128}$/
export const VARIANT_NAME_WORDS = '1 to 128 characters of visible ASCII, without spaces and `,`,'

/** Of a list that comes with a request, such as the roles of a token, of an API key or of an evaluation context. */
export const MOST_ENTRIES = 256

/** RFC 6749 §3.3: scope-token, less the comma that separates scopes in our header. */
export const SCOPE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/
/** Visible ASCII without the comma that separates roles in our header. */
export const ROLE = /^[\x21-\x2b\x2d-\x7e]+$/
