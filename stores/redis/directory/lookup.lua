-- Finds a tenant, or a key with its tenant, in one import of the policy.
-- KEYS: of that import policy, tenants, keys, names, hosts; then issued. ARGV: what is given (name, host or key), and its text.
-- Answers nothing where the import is not there (any more); otherwise a list of texts, empty ones for what is not found: the id of
-- the tenant, the tenant, where the key stands, the key.
local POLICY, TENANTS, OF_POLICY, NAMES, HOSTS, ISSUED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local given, text = ARGV[1], ARGV[2]

if redis.call('EXISTS', POLICY) == 0 then return false end

local from, key, id = '', false, false
if given == 'key' then
  from, key = 'policy', redis.call('HGET', OF_POLICY, text)
  if not key then from, key = 'issued', redis.call('HGET', ISSUED, text) end
  local readable, facts = pcall(cjson.decode, key or '{}')
  id = readable and type(facts) == 'table' and facts.tenant
elseif given == 'host' then
  id = redis.call('HGET', HOSTS, text)
else
  id = redis.call('HEXISTS', TENANTS, text) == 1 and text or redis.call('HGET', NAMES, text)
end

local tenant = type(id) == 'string' and redis.call('HGET', TENANTS, id)
return { tenant and id or '', tenant or '', key and from or '', key or '' }
