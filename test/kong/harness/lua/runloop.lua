-- Stands in for what Kong's own run loop does to a request before and after the plugins, as far as a client can use it.

local runloop = {}

--- Kong reads the headers once, before all plugins, and keeps them.
function runloop.before() ngx.ctx.cached_request_headers = ngx.req.get_headers() end

local SPARED = { ["keep-alive"] = true, close = true, upgrade = true }

--- Clears each header that the kept `Connection` names: the first one, if there are several.
function runloop.after()
  local kept = ngx.ctx.cached_request_headers or ngx.req.get_headers()
  local connection = kept.connection
  if type(connection) == "table" then connection = connection[1] end
  if connection == nil or SPARED[connection] then return end
  for name in string.gmatch(string.lower(connection), "[^,]+") do
    name = string.match(name, "^ *(.-) *$")
    local is_websocket = string.lower(ngx.var.http_upgrade or "") == "websocket"
    if name ~= "upgrade" or not is_websocket then ngx.req.clear_header(name) end
  end
end

return runloop
