-- The guard's own refusals: problem+json (RFC 9457) as tenantgate writes it, and a status that gRPC libraries read.

local cjson = require "cjson.safe"

local char, find, format, gsub, lower = string.char, string.find, string.format, string.gsub, string.lower

local problem = {}

local PROBLEMS = {
  [400] = {
    title = "Bad Request",
    detail = "The path or the host is not in canonical form.",
    code = "malformed_request",
    grpc = "3",
  },
  [431] = {
    title = "Request Header Fields Too Large",
    detail = "The header fields are too many or too long.",
    code = "malformed_request",
    grpc = "8",
  },
  [503] = {
    title = "Service Unavailable",
    detail = "A service that this decision needs is not available.",
    code = "dependency_unavailable",
    grpc = "14",
  },
}

local BODY = '{"type":"about:blank","title":"%s","status":%d,"detail":"%s","code":"%s","requestId":%s}'

-- Each byte above ASCII as a JSON escape.
local ESCAPES = {}
for number = 128, 255 do
  ESCAPES[char(number)] = format("\\u%04x", number)
end

--- A JSON text in which each byte above ASCII is told as the character of that number. Readers differ on what is no UTF-8:
--- one that is lenient reads some pairs of such bytes as a quote or a line break, and would see members that nobody wrote.
function problem.ascii(json)
  return find(json, "[\128-\255]") and (gsub(json, "[\128-\255]", ESCAPES)) or json
end

local function is_grpc()
  local content_type = lower(ngx.var.content_type or "")
  -- grpc-web is spoken by browsers, which read HTTP
  return find(content_type, "^application/grpc$") ~= nil or find(content_type, "^application/grpc[+; ]") ~= nil
end

--- The refusal with this status: the status to send, the body, and headers by name. `request_id` is what the client knows the
--- request by.
function problem.of(status, request_id)
  local about = PROBLEMS[status]
  local headers = { ["cache-control"] = "no-store" }
  if status == 503 then
    headers["retry-after"] = "1"
  end
  if is_grpc() then
    -- gRPC over HTTP/2, "Trailers-Only": 200, with the truth in grpc-status
    headers["content-type"] = "application/grpc"
    headers["grpc-status"] = about.grpc
    headers["grpc-message"] = about.detail
    return 200, "", headers
  end
  headers["content-type"] = "application/problem+json"
  local id = problem.ascii(cjson.encode(request_id) or '""')
  return status, format(BODY, about.title, status, about.detail, about.code, id), headers
end

--- Ends the request with it. Nothing behind this call runs.
function problem.exit(status, request_id)
  return kong.response.exit(problem.of(status, request_id))
end

return problem
