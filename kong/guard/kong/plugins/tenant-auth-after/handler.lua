-- Runs directly after tenant-auth (1235); see tenantgate/after.lua.
return require "tenantgate.after"("auth", 1234)
