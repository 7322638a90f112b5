-- The request as the client sent it: what is handed over to the plugins, as one JSON text.

local cjson = require "cjson.safe"
local problem = require "tenantgate.problem"

local byte, find, gsub, lower, match = string.byte, string.find, string.gsub, string.lower, string.match
local max, min = math.max, math.min

local request = {}

-- More than a client needs; some servers end here.
local MOST_HEADERS = 100
-- Kong's default for lua_max_req_headers: what stands behind that many is hidden from Lua.
local DEFAULT_READ = 100
-- What plugins add behind the client's own, ours first: Kong's other plugins must see it too.
local RESERVED = 16

--- The id that clients know the request by: X-Request-ID where there is one (the correlation-id plugin has seen to it before
--- us), else Kong's own.
function request.public_id(headers)
  local id = headers["x-request-id"]
  if type(id) == "table" then
    id = id[1]
  end
  return id ~= nil and id ~= "" and id or ngx.var.kong_request_id
end

--- All headers, by names in lower case; nil where there are too many. One more is read, since an earlier plugin may have added
--- the request's id.
function request.headers()
  local seen = kong.configuration.lua_max_req_headers or DEFAULT_READ
  local limit = max(1, min(MOST_HEADERS, seen - RESERVED))
  local headers, cut = ngx.req.get_headers(limit + 1)
  if headers == nil or cut == "truncated" then
    return nil
  end
  -- its __index reads `x_a` where there is only `x-a`
  return setmetatable(headers, nil)
end

--- `Acme.test.:80` → `acme.test`, as nginx folds `$host`.
local function folded(host)
  host = lower(host)
  host = byte(host) == 91 and match(host, "^%[[^%]]*%]?") or match(host, "^[^:]*")
  return (gsub(host, "%.$", ""))
end

--- The Host header. RFC 9112 §3.2.2 has the target's own host count where there is one, and nginx does, but backends read the
--- header: two that name different hosts are handed over together, and no such host exists.
local function host()
  local named, chosen = ngx.var.http_host or "", ngx.var.host or ""
  if named == "" then
    -- where nobody names one, nginx takes its server's own
    return chosen ~= ngx.var.server_name and chosen or ""
  end
  return folded(named) == chosen and named or named .. "," .. chosen
end

--- The client's certificate as PEM, where TLS has verified one; nil on connections without TLS, which are asked no more than that.
local function certificate(var)
  if var.https ~= "on" or var.ssl_client_verify ~= "SUCCESS" then
    return nil
  end
  -- an empty one is nobody's, and not missing
  return var.ssl_client_raw_cert or ""
end

--- The whole request as a JSON text, or nil and the status that refuses it.
function request.handed_over(headers, request_id)
  local var = ngx.var
  local target = var.request_uri
  -- JSON holds characters: other bytes could be read as another path than the backend's
  if type(target) ~= "string" or find(target, "[^!-~]") then
    return nil, 400
  end
  local text = cjson.encode {
    id = var.kong_request_id,
    requestId = request_id,
    method = ngx.req.get_method(),
    target = target,
    host = host(),
    headers = headers,
    address = var.remote_addr,
    certificate = certificate(var),
  }
  if not text then
    return nil, 503
  end
  return problem.ascii(text)
end

return request
