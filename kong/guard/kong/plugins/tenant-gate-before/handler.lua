-- Runs directly before tenant-gate (1240); see tenantgate/before.lua.
return require "tenantgate.before"("gate", 1241)
