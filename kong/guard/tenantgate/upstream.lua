-- Which of Kong's upstreams a request goes to: the one that was chosen or, where Kong lacks it or none of its targets is well, the one
-- to fall back to.

local balancer = require "kong.runloop.balancer"

local upstream = {}

-- Of one upstream it is said so often, in seconds.
local SAID_EVERY = 10

-- By the upstream that was not gone to: since it was last said, how often, and when that was. The names are those of policies.
local missed = {}

--- True, or false and why not. What Kong has not looked at yet has not failed.
local function is_well(name)
  local known = balancer.get_upstream_by_name(name)
  if not known then
    return false, "Kong has no such upstream"
  end
  local state = balancer.get_balancer_health(known.id)
  if state and state.balancer_health == "UNHEALTHY" then
    return false, "none of its targets is well"
  end
  return true
end

local function set(name)
  local known, fault = kong.service.set_upstream(name)
  if not known then
    return nil, "Kong has no upstream '" .. name .. "': " .. tostring(fault)
  end
  -- of a service that is an address Kong would take the upstream's name for one, and answer 500
  ngx.ctx.balancer_data.type = "name"
  return name
end

local function say(chosen, fallback, why)
  local now = ngx.now()
  local told = missed[chosen] or { times = 0 }
  missed[chosen] = told
  told.times = told.times + 1
  if told.at and now - told.at < SAID_EVERY then
    return
  end
  kong.log.warn("upstream '", chosen, "': ", why, "; ", told.times, " request(s) went to '", fallback, "' instead")
  told.at, told.times = now, 0
end

--- The name of the upstream that is gone to, or nil and the fault. `fallback` may be nil; it is gone to whatever its state.
function upstream.go_to(chosen, fallback)
  if fallback then
    local well, why = is_well(chosen)
    if not well then
      local used, fault = set(fallback)
      if used then
        say(chosen, fallback, why)
      end
      return used, fault
    end
  end
  return set(chosen)
end

return upstream
