-- The request as the client sent it: what is handed over to the plugins, as one JSON text.

local cjson = require "cjson.safe"
local problem = require "tenantgate.problem"

local byte, find, gsub, lower, match, sub = string.byte, string.find, string.gsub, string.lower, string.match, string.sub

local request = {}

-- Kong's default for lua_max_req_headers.
local DEFAULT_LIMIT = 100
local SLASH = byte("/")

--- The id that clients know the request by: X-Request-ID where there is one (the correlation-id plugin has seen to it before
--- us), else Kong's own.
function request.public_id(headers)
  local id = headers["x-request-id"]
  if type(id) == "table" then
    id = id[1]
  end
  return id ~= nil and id ~= "" and id or ngx.var.kong_request_id
end

--- All headers, by names in lower case; nil where there are more than Kong reads. One more is read than Kong's limit, since
--- an earlier plugin may have added the request's id.
function request.headers()
  local limit = kong.configuration.lua_max_req_headers or DEFAULT_LIMIT
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

--- The authority of a request line such as `GET http://acme.test/ HTTP/1.1`.
local function authority()
  local line = ngx.var.request or ""
  local blank = find(line, " ", 1, true)
  if not blank or byte(line, blank + 1) == SLASH then
    return nil
  end
  return match(line, "^%a[%w+.-]*://([^/?# ]*)", blank + 1)
end

--- The Host header. RFC 9112 §3.2.2 has the target's own host count where there is one, but backends read the header: two that
--- name different hosts are handed over together, and no such host exists.
local function host()
  local named = ngx.var.http_host or ""
  local target = authority()
  if not target or folded(target) == folded(named) then
    return named
  end
  return named == "" and target or named .. "," .. target
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
  }
  if not text then
    return nil, 503
  end
  return problem.ascii(text)
end

return request
