-- Runs directly after tenant-gate (1240); see tenantgate/after.lua.
return require "tenantgate.after"("gate", 1239)
