-- Runs the guard's own files, phase by phase, for requests that it is told of on stdin: a line of JSON for each run, a line back.
-- Texts are bytes on both sides.

local folder, guard = ...

package.path = folder .. "/?.lua;" .. guard .. "/?.lua;" .. package.path

local json = require "json"
if not pcall(require, "cjson.safe") then package.loaded["cjson.safe"] = json end

local standins = require "standins"
ngx, kong = standins.ngx, standins.kong
package.loaded["kong.db.schema.typedefs"] = standins.typedefs
package.loaded["kong.runloop.balancer"] = standins.balancer

local runloop = require "runloop"

local requests = {}
local handlers = {}

local function handler_of(plugin)
  handlers[plugin] = handlers[plugin] or require("kong.plugins." .. plugin .. ".handler")
  return handlers[plugin]
end

local function opened(request)
  -- where the router has sent the request: to a service that is an address
  request.ctx = { balancer_data = { type = "ipv4" } }
  request.shared, request.log = {}, {}
  request.answer = { status = 200, headers = {} }
  requests[request.id] = request
  return request
end

--- Runs one function as Kong does: in a coroutine of its own, which an exit leaves for good.
local function run(run_phase)
  local thread = coroutine.create(run_phase)
  local ok, left = coroutine.resume(thread)
  if not ok then return { outcome = "error", message = tostring(left) } end
  if coroutine.status(thread) == "suspended" then return { outcome = "exited", exit = left } end
  return { outcome = "done" }
end

local function snapshot(request, said)
  said.headers, said.consumer, said.credential = request.headers, request.consumer, request.credential
  -- Kong looks nobody up by a name that it takes for an address
  said.upstream = request.ctx.balancer_data.type == "name" and request.upstream or nil
  said.answer, said.arg, said.log = request.answer, request.arg, request.log
  said.shared = request.shared
  return said
end

local function merge(into, from)
  for name, value in pairs(from or {}) do
    if value == json.null then into[name] = nil else into[name] = value end
  end
end

--- One phase of one plugin; `kong` is the run loop itself.
local function run_step(request, step)
  request.phase = step.plugin == "kong" and "access" or step.phase
  standins.enter(request)
  if step.plugin == "kong" then return run(runloop[step.phase]) end
  local handler = handler_of(step.plugin)
  return run(function() handler[step.phase](handler, {}) end)
end

--- All steps, until one ends the request.
local function run_steps(request, steps)
  local said = { outcome = "done" }
  for _, step in ipairs(steps) do
    said = run_step(request, step)
    if said.outcome ~= "done" then return said end
  end
  return said
end

local function answer_to(message)
  if message.describe then
    local schema = require("kong.plugins." .. message.describe .. ".schema")
    local handler = handler_of(message.describe)
    return { priority = handler.PRIORITY, version = handler.VERSION, schema = schema.name }
  end
  local request = message.open and opened(message.open) or requests[message.request]
  merge(request.shared, message.shared)
  merge(request, message.patch)
  local said = snapshot(request, run_steps(request, message.steps))
  if message.close then requests[request.id] = nil end
  return said
end

for line in io.lines() do
  local message = json.decode(line)
  local ok, said = pcall(answer_to, message)
  if not ok then said = { outcome = "error", message = tostring(said) } end
  said.n = message.n
  io.stdout:write(assert(json.encode(said)), "\n")
  io.stdout:flush()
end
