-- See tenantgate/schema.lua.
return require "tenantgate.schema" "tenant-auth-before"
