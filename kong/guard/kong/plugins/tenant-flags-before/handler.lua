-- Runs directly before tenant-flags (850); see tenantgate/before.lua.
return require "tenantgate.before"("flags", 851)
