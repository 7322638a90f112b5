-- Tells Kong's own plugins (acl, rate-limiting, proxy-cache, logs) who the caller is.

-- A consumer is found by its name too, and Kong forgets at once only what it has found by id.
local LOOKED_UP = { ttl = 60, neg_ttl = 5 }

local function load(consumer)
  local key = kong.db.consumers:cache_key(consumer)
  return kong.cache:get(key, LOOKED_UP, kong.client.load_consumer, consumer, true)
end

local function set_or_clear(name, value)
  if value ~= nil then
    ngx.req.set_header(name, tostring(value))
  else
    ngx.req.clear_header(name)
  end
end

--- The headers that Kong's authentication plugins tell backends.
local function tell_backend(consumer, credential)
  set_or_clear("X-Consumer-ID", consumer.id)
  set_or_clear("X-Consumer-Custom-ID", consumer.custom_id)
  set_or_clear("X-Consumer-Username", consumer.username)
  set_or_clear("X-Credential-Identifier", credential.id)
  ngx.req.clear_header("X-Anonymous-Consumer")
end

--- Nil and the fault where the policy names a consumer that Kong does not know: another one, or none, would be a guess.
return function(caller)
  local credential = { id = caller.credential.id }
  if not caller.consumer then
    kong.client.authenticate(caller.standIn, credential)
    return true
  end
  local consumer, fault = load(caller.consumer)
  if not consumer then
    return nil, "Kong has no consumer '" .. caller.consumer .. "'" .. (fault and ": " .. tostring(fault) or "")
  end
  credential.consumer_id = consumer.id
  kong.client.authenticate(consumer, credential)
  tell_backend(consumer, credential)
  return true
end
