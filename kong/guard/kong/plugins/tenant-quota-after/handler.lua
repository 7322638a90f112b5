-- Runs directly after tenant-quota (906); see tenantgate/after.lua.
return require "tenantgate.after"("quota", 905)
