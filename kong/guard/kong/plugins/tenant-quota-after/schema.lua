-- See tenantgate/schema.lua.
return require "tenantgate.schema" "tenant-quota-after"
