-- Runs directly before tenant-quota (906); see tenantgate/before.lua.
return require "tenantgate.before"("quota", 907)
