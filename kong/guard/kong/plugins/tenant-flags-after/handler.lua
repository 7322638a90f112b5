-- Runs directly after tenant-flags (850); see tenantgate/after.lua.
return require "tenantgate.after"("flags", 849)
