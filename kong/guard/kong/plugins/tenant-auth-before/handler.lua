-- Runs directly before tenant-auth (1235); see tenantgate/before.lua.
return require "tenantgate.before"("auth", 1236)
