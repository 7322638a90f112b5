-- Before a plugin of ours: hands over the request as the client sent it, then takes away what a client must not say.

local names = require "tenantgate.names"
local problem = require "tenantgate.problem"
local request = require "tenantgate.request"

local gmatch = string.gmatch
local concat = table.concat

-- Where plugins look for the request.
local REQUEST_KEY = "tenantgate_request"

--- An earlier plugin of Kong's knows somebody, if only as its anonymous consumer: the headers that say so are its own.
local function is_authenticated()
  return kong.client.get_credential() ~= nil or kong.client.get_consumer() ~= nil
end

--- Kong clears each header that `Connection` names, after all plugins: a client could take ours away from the backend, or the
--- length of a body, which nginx would then read as the next request. What is the client's own to take away goes now.
local function disarm_connection(connection)
  if type(connection) == "table" then
    connection = concat(connection, ",")
  end
  local kept, dropped = {}, false
  for token in gmatch(connection, "[^,%s]+") do
    if names.is_connection_option(token) then
      kept[#kept + 1] = token
    else
      dropped = true
      if not names.is_kept(token) then
        ngx.req.clear_header(token)
      end
    end
  end
  if not dropped then
    return
  end
  ngx.req.set_header("connection", #kept > 0 and concat(kept, ", ") or nil)
  -- Kong keeps the headers as they came, and would clear by those
  ngx.ctx.cached_request_headers = nil
end

local function strip(headers)
  local authenticated = is_authenticated()
  for name in pairs(headers) do
    if names.is_stripped(name, authenticated) then
      ngx.req.clear_header(name)
    end
  end
  if headers.connection then
    disarm_connection(headers.connection)
  end
end

--- Once a request: a later stage's guard must not strip what an earlier stage has set.
local function hand_over(id)
  local headers = request.headers()
  local state = { id = id, request_id = request.public_id(headers or {}), asked = {}, answers = {}, instead = {} }
  ngx.ctx.tenantgate = state
  if not headers then
    return problem.exit(431, state.request_id)
  end
  local text, refused = request.handed_over(headers, state.request_id)
  if not text then
    return problem.exit(refused, state.request_id)
  end
  state.text = text
  strip(headers)
  return state
end

--- The handler of a stage's guard: `kong.ctx.shared` holds the request from here on.
return function(stage, priority)
  local handler = { PRIORITY = priority, VERSION = "0.1.0" }

  function handler:access()
    local id = ngx.var.kong_request_id
    local state = ngx.ctx.tenantgate
    if not state or state.id ~= id then
      state = hand_over(id)
    end
    kong.ctx.shared[REQUEST_KEY] = state.text
    -- a mark that anybody left before the plugin was asked is not the plugin's
    kong.ctx.shared["tenantgate_" .. stage] = nil
    state.asked[stage] = true
  end

  return handler
end
