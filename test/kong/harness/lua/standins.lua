-- Stands in for what the guard uses of nginx's and Kong's Lua: `ngx` and `kong`, about the request that is current.

local headers = require "headers"

local standins = {}

--- The request that Lua runs for: opened, run and closed by the host.
local current

function standins.enter(request) current = request end

local SERVER_NAME = "kong"

--- nginx's `$host`: of an absolute target its own, else the header's, else the server's name.
local function chosen_host()
  local named = string.match(current.var.request or "", "^%S+ +%a[%w+.-]*://([^/?# ]+)")
    or headers.variable(current.headers, "host")
  if not named or named == "" then return SERVER_NAME end
  named = string.lower(named)
  return (string.gsub(string.match(named, "^%[[^%]]*%]") or string.match(named, "^[^:]*"), "%.$", ""))
end

local function variable(name)
  local var = current.var[name]
  if var ~= nil then return var end
  if name == "host" then return chosen_host() end
  if name == "server_name" then return SERVER_NAME end
  if name == "content_type" then return headers.variable(current.headers, "content_type") end
  local header = string.match(name, "^http_(.*)$")
  return header and headers.variable(current.headers, header)
end

-- In answers, and only there, Lua's underscores are hyphens.
local function answered(name) return (string.gsub(name, "_", "-")) end

local answer_headers = setmetatable({}, {
  __index = function(_, name) return headers.read(current.answer.headers, 0)[string.lower(answered(name))] end,
  __newindex = function(_, name, value)
    current.answer.headers = headers.set(current.answer.headers, answered(name), value)
  end,
})

local req = {
  get_headers = function(max) return headers.read(current.headers, max or current.max_headers) end,
  set_header = function(name, value) current.headers = headers.set(current.headers, name, value) end,
  clear_header = function(name) current.headers = headers.set(current.headers, name, nil) end,
  get_method = function() return current.method end,
}

local resp = {
  get_headers = function(max) return headers.read(current.answer.headers, max or 100) end,
}

standins.ngx = setmetatable({ req = req, resp = resp, header = answer_headers, null = {}, now = function() return current.now or 0 end }, {
  __index = function(_, name)
    if name == "ctx" then return current.ctx end
    if name == "status" then return current.answer.status end
    if name == "arg" then return current.arg end
    if name == "var" then return setmetatable({}, { __index = function(_, var) return variable(var) end }) end
  end,
  __newindex = function(_, name, value)
    if name ~= "status" then error("the guard must not set ngx." .. name) end
    current.answer.status = value
  end,
})

local function need_phase(phase)
  if current.phase ~= phase then error("not to be called while " .. current.phase .. " runs", 3) end
end

--- Kong parks the plugin's coroutine: nothing behind the call runs, header_filter and body_filter still do.
local function exit(status, body, fields)
  need_phase "access"
  if type(status) ~= "number" or status < 100 or status > 599 then error("exit without an HTTP status", 2) end
  if body ~= nil and type(body) ~= "string" then error("the guard's bodies are texts", 2) end
  coroutine.yield { status = status, body = body, headers = fields or {} }
  error "a parked coroutine was resumed"
end

local function find_consumer(name)
  for _, consumer in ipairs(current.consumers) do
    if consumer.id == name or consumer.username == name then return consumer end
  end
end

local function authenticate(consumer, credential)
  need_phase "access"
  if consumer == nil and credential == nil then error("authenticate was told of nobody", 2) end
  current.consumer, current.credential = consumer, credential
end

local function set_upstream(name)
  need_phase "access"
  if type(name) ~= "string" then error("host must be a string", 2) end
  for _, known in ipairs(current.upstreams) do
    if known == name then
      current.upstream = name
      return true
    end
  end
  return nil, "no upstream " .. name
end

--- Of Kong's run loop, what tells which upstreams there are and how they are.
standins.balancer = {
  get_upstream_by_name = function(name)
    for _, known in ipairs(current.upstreams) do
      if known == name then return { id = "id of " .. name, name = name } end
    end
    return false
  end,
  get_balancer_health = function(id)
    for _, name in ipairs(current.unwell or {}) do
      if id == "id of " .. name then return { health = "UNHEALTHY", balancer_health = "UNHEALTHY", id = id } end
    end
    for _, name in ipairs(current.unseen or {}) do
      if id == "id of " .. name then return nil, "balancer not found" end
    end
    return { health = "HEALTHY", balancer_health = "HEALTHY", id = id }
  end,
}

local function log(...)
  local parts = {}
  for index = 1, select("#", ...) do parts[index] = tostring((select(index, ...))) end
  current.log[#current.log + 1] = table.concat(parts)
end

standins.kong = setmetatable({
  client = {
    get_credential = function() return current.credential end,
    get_consumer = function() return current.consumer end,
    load_consumer = find_consumer,
    authenticate = authenticate,
  },
  service = { set_upstream = set_upstream },
  response = { exit = exit },
  log = { err = log, warn = log },
  cache = { get = function(_, _, _, load, ...) return load(...) end },
  db = { consumers = { cache_key = function(_, id) return "consumers:" .. id end } },
}, {
  __index = function(_, name)
    if name == "ctx" then return { shared = current.shared } end
    if name == "configuration" then return { lua_max_req_headers = current.max_headers } end
  end,
})

--- What schemas may name; like the real table it raises an error for what it does not have.
standins.typedefs = setmetatable({ no_consumer = { eq = "null" }, protocols_http = { type = "set" } }, {
  __index = function(_, name) error("schema typedef error: definition " .. name .. " does not exist") end,
})

return standins
