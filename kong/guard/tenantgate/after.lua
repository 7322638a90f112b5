-- After a plugin of ours: carries out what it has decided. Without its mark, on this very request, nobody passes.

local authenticate = require "tenantgate.caller"
local mark = require "tenantgate.mark"
local names = require "tenantgate.names"
local problem = require "tenantgate.problem"
local upstream = require "tenantgate.upstream"

--- For the access log, where it has these fields.
local function log_chosen(name, variant)
  pcall(function()
    ngx.var.tenantgate_chosen = name
    ngx.var.tenantgate_chosen_variant = variant or ""
  end)
end

--- True, or nil and the fault.
local function carry_out(decided)
  if decided.upstream then
    local used, fault = upstream.go_to(decided.upstream, decided.fallback)
    if not used then
      return nil, fault
    end
    if used ~= decided.upstream then
      log_chosen(decided.upstream, decided.set["x-tenantgate-variant"])
      -- the backend is told which version it serves, and not which one it should have been
      decided.set["x-tenantgate-upstream"] = used
      decided.set["x-tenantgate-variant"] = nil
    end
  end
  if decided.caller then
    local done, fault = authenticate(decided.caller)
    if not done then
      return nil, fault
    end
  end
  for _, name in ipairs(decided.remove) do
    ngx.req.clear_header(name)
  end
  for name, value in pairs(decided.set) do
    ngx.req.set_header(name, value)
  end
  return true
end

local function refuse(stage, fault, request_id)
  kong.log.err("tenant-", stage, "-after refuses the request: ", fault)
  return problem.exit(503, request_id)
end

--- What our plugin, its server or Kong has refused before anything was decided; nil for any other answer.
local function refused()
  if ngx.status == 431 then
    return 431
  end
  return ngx.status >= 500 and 503 or nil
end

--- The plugin server is away, frozen or at fault, or could not read the request. Neither it nor Kong says so as we do: with the
--- request's id, and to gRPC libraries in their own way.
local function replace(state, stage, refused_as)
  local status, body, headers = problem.of(refused_as, state.request_id)
  ngx.status = status
  -- Kong takes grpc-web for gRPC
  ngx.header["grpc-status"], ngx.header["grpc-message"] = nil, nil
  for name, value in pairs(headers) do
    ngx.header[name] = value
  end
  ngx.header["Content-Length"] = #body
  state.instead[stage] = body
end

--- The handler of the guard behind a stage.
return function(stage, priority)
  local handler = { PRIORITY = priority, VERSION = "0.1.0" }

  function handler:access()
    local state = ngx.ctx.tenantgate
    local id = ngx.var.kong_request_id
    if not state or state.id ~= id or not state.asked[stage] then
      return refuse(stage, "the guard before the plugin has not run", id)
    end
    local decided, missing = mark.read(stage, id)
    if not decided then
      return refuse(stage, missing, state.request_id)
    end
    local done, fault = carry_out(decided)
    if not done then
      return refuse(stage, fault, state.request_id)
    end
    state.answers[stage] = decided.answer
  end

  function handler:header_filter()
    -- all of them: by default Lua sees a hundred
    for name in pairs(ngx.resp.get_headers(0)) do
      if names.is_ours(name) then
        ngx.header[name] = nil
      end
    end
    local state = ngx.ctx.tenantgate
    if not state or not state.asked[stage] then
      return
    end
    local answer = state.answers[stage]
    if answer then
      for name, value in pairs(answer) do
        ngx.header[name] = value
      end
    elseif refused() then
      replace(state, stage, refused())
    end
  end

  function handler:body_filter()
    local state = ngx.ctx.tenantgate
    local body = state and state.instead[stage]
    if not body then
      return
    end
    ngx.arg[1] = body
    ngx.arg[2] = true
    -- what comes behind it is the answer that is replaced
    state.instead[stage] = ""
  end

  return handler
end
